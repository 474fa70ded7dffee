/tmp/w/D/build-clang/tests/04-devices/kvm_irqchip: \
  /tmp/w/D/tests/04-devices/kvm_irqchip.c \
  /tmp/w/D/chapters/01-kvm-hello/exits.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/01-kvm-hello/payload.h \
  /tmp/w/D/chapters/02-protected-mode/entry.h /tmp/w/D/common/bits.h \
  /tmp/w/D/chapters/04-devices/bus.h \
  /tmp/w/D/chapters/04-devices/interrupt.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/chapters/04-devices/pic.h \
  /tmp/w/D/chapters/04-devices/irqchip.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/01-kvm-hello/exits.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/01-kvm-hello/payload.h:

/tmp/w/D/chapters/02-protected-mode/entry.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/interrupt.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/pic.h:

/tmp/w/D/chapters/04-devices/irqchip.h:

/tmp/w/D/tests/harness/harness.h:
