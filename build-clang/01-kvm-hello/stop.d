/tmp/w/D/build-clang/01-kvm-hello/stop.o: \
  /tmp/w/D/chapters/01-kvm-hello/stop.c \
  /tmp/w/D/chapters/01-kvm-hello/stop.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h /tmp/w/D/common/die.h

/tmp/w/D/chapters/01-kvm-hello/stop.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/common/die.h:
