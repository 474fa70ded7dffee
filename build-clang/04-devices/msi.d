/tmp/w/D/build-clang/04-devices/msi.o: /tmp/w/D/chapters/04-devices/msi.c \
  /tmp/w/D/chapters/04-devices/msi.h /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/chapters/04-devices/pci_function.h \
  /tmp/w/D/chapters/04-devices/bus.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/msi.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/pci_function.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/common/bits.h:
