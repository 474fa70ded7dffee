/tmp/w/D/build-clang/04-devices/display.o: \
  /tmp/w/D/chapters/04-devices/display.c \
  /tmp/w/D/chapters/04-devices/display.h \
  /tmp/w/D/chapters/04-devices/console.h \
  /tmp/w/D/chapters/04-devices/sink.h \
  /tmp/w/D/chapters/04-devices/uart.h /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/chapters/04-devices/keymap.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/input.h /tmp/w/D/chapters/04-devices/pc.h \
  /tmp/w/D/chapters/04-devices/debug_ports.h \
  /tmp/w/D/chapters/04-devices/dma_timer.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/04-devices/msi.h \
  /tmp/w/D/chapters/04-devices/pci_function.h \
  /tmp/w/D/chapters/04-devices/bus.h \
  /tmp/w/D/chapters/04-devices/doorbell.h \
  /tmp/w/D/chapters/04-devices/i8042.h \
  /tmp/w/D/chapters/04-devices/ps2.h \
  /tmp/w/D/chapters/04-devices/machine.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/04-devices/alarms.h \
  /tmp/w/D/chapters/04-devices/coalesced.h \
  /tmp/w/D/chapters/04-devices/dispatch.h \
  /tmp/w/D/chapters/04-devices/ending.h \
  /tmp/w/D/chapters/04-devices/interrupt.h \
  /tmp/w/D/chapters/04-devices/pic.h \
  /tmp/w/D/chapters/04-devices/irqchip.h \
  /tmp/w/D/chapters/04-devices/observer.h \
  /tmp/w/D/chapters/04-devices/stats.h \
  /tmp/w/D/chapters/04-devices/trace.h /tmp/w/D/common/refusal.h \
  /tmp/w/D/chapters/04-devices/watches.h \
  /tmp/w/D/chapters/04-devices/pci.h \
  /tmp/w/D/chapters/04-devices/reset.h \
  /tmp/w/D/chapters/04-devices/pit.h \
  /tmp/w/D/chapters/04-devices/pit_counter.h \
  /tmp/w/D/chapters/04-devices/ps2_keyboard.h \
  /tmp/w/D/chapters/04-devices/ps2_mouse.h \
  /tmp/w/D/chapters/04-devices/rtc.h \
  /tmp/w/D/chapters/04-devices/text_screen.h \
  /tmp/w/D/chapters/04-devices/screen_view.h

/tmp/w/D/chapters/04-devices/display.h:

/tmp/w/D/chapters/04-devices/console.h:

/tmp/w/D/chapters/04-devices/sink.h:

/tmp/w/D/chapters/04-devices/uart.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/keymap.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/input.h:

/tmp/w/D/chapters/04-devices/pc.h:

/tmp/w/D/chapters/04-devices/debug_ports.h:

/tmp/w/D/chapters/04-devices/dma_timer.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/04-devices/msi.h:

/tmp/w/D/chapters/04-devices/pci_function.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/doorbell.h:

/tmp/w/D/chapters/04-devices/i8042.h:

/tmp/w/D/chapters/04-devices/ps2.h:

/tmp/w/D/chapters/04-devices/machine.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/04-devices/alarms.h:

/tmp/w/D/chapters/04-devices/coalesced.h:

/tmp/w/D/chapters/04-devices/dispatch.h:

/tmp/w/D/chapters/04-devices/ending.h:

/tmp/w/D/chapters/04-devices/interrupt.h:

/tmp/w/D/chapters/04-devices/pic.h:

/tmp/w/D/chapters/04-devices/irqchip.h:

/tmp/w/D/chapters/04-devices/observer.h:

/tmp/w/D/chapters/04-devices/stats.h:

/tmp/w/D/chapters/04-devices/trace.h:

/tmp/w/D/common/refusal.h:

/tmp/w/D/chapters/04-devices/watches.h:

/tmp/w/D/chapters/04-devices/pci.h:

/tmp/w/D/chapters/04-devices/reset.h:

/tmp/w/D/chapters/04-devices/pit.h:

/tmp/w/D/chapters/04-devices/pit_counter.h:

/tmp/w/D/chapters/04-devices/ps2_keyboard.h:

/tmp/w/D/chapters/04-devices/ps2_mouse.h:

/tmp/w/D/chapters/04-devices/rtc.h:

/tmp/w/D/chapters/04-devices/text_screen.h:

/tmp/w/D/chapters/04-devices/screen_view.h:
