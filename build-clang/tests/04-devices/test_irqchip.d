/tmp/w/D/build-clang/tests/04-devices/test_irqchip: \
  /tmp/w/D/tests/04-devices/test_irqchip.c \
  /tmp/w/D/chapters/04-devices/irqchip.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/irqchip.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
