/tmp/w/D/build-clang/04-devices/dma_timer.o: \
  /tmp/w/D/chapters/04-devices/dma_timer.c \
  /tmp/w/D/chapters/04-devices/dma_timer.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/chapters/04-devices/msi.h \
  /tmp/w/D/chapters/04-devices/pci_function.h \
  /tmp/w/D/chapters/04-devices/bus.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/dma_timer.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/msi.h:

/tmp/w/D/chapters/04-devices/pci_function.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/common/bits.h:
