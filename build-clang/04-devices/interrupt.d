/tmp/w/D/build-clang/04-devices/interrupt.o: \
  /tmp/w/D/chapters/04-devices/interrupt.c \
  /tmp/w/D/chapters/04-devices/interrupt.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/chapters/04-devices/pic.h \
  /tmp/w/D/common/die.h

/tmp/w/D/chapters/04-devices/interrupt.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/pic.h:

/tmp/w/D/common/die.h:
