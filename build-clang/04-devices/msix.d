/tmp/w/D/build-clang/04-devices/msix.o: \
  /tmp/w/D/chapters/04-devices/msix.c \
  /tmp/w/D/chapters/04-devices/msix.h /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/chapters/04-devices/pci_function.h \
  /tmp/w/D/chapters/04-devices/bus.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/msix.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/pci_function.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/common/bits.h:
