/tmp/w/D/build-clang/04-devices/observer.o: \
  /tmp/w/D/chapters/04-devices/observer.c \
  /tmp/w/D/chapters/04-devices/observer.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/stats.h \
  /tmp/w/D/chapters/04-devices/trace.h /tmp/w/D/common/refusal.h \
  /tmp/w/D/chapters/01-kvm-hello/exits.h \
  /tmp/w/D/chapters/04-devices/machine.h \
  /tmp/w/D/chapters/04-devices/alarms.h \
  /tmp/w/D/chapters/04-devices/coalesced.h \
  /tmp/w/D/chapters/04-devices/dispatch.h \
  /tmp/w/D/chapters/04-devices/bus.h \
  /tmp/w/D/chapters/04-devices/ending.h \
  /tmp/w/D/chapters/04-devices/interrupt.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/chapters/04-devices/pic.h \
  /tmp/w/D/chapters/04-devices/irqchip.h \
  /tmp/w/D/chapters/04-devices/watches.h /tmp/w/D/common/die.h

/tmp/w/D/chapters/04-devices/observer.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/stats.h:

/tmp/w/D/chapters/04-devices/trace.h:

/tmp/w/D/common/refusal.h:

/tmp/w/D/chapters/01-kvm-hello/exits.h:

/tmp/w/D/chapters/04-devices/machine.h:

/tmp/w/D/chapters/04-devices/alarms.h:

/tmp/w/D/chapters/04-devices/coalesced.h:

/tmp/w/D/chapters/04-devices/dispatch.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/ending.h:

/tmp/w/D/chapters/04-devices/interrupt.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/pic.h:

/tmp/w/D/chapters/04-devices/irqchip.h:

/tmp/w/D/chapters/04-devices/watches.h:

/tmp/w/D/common/die.h:
