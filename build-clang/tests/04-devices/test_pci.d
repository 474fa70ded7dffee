/tmp/w/D/build-clang/tests/04-devices/test_pci: \
  /tmp/w/D/tests/04-devices/test_pci.c \
  /tmp/w/D/chapters/04-devices/pci.h /tmp/w/D/chapters/04-devices/bus.h \
  /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/chapters/04-devices/pci_function.h \
  /tmp/w/D/chapters/04-devices/reset.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/pci.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/pci_function.h:

/tmp/w/D/chapters/04-devices/reset.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
