/tmp/w/D/build-clang/04-devices/pit.o: /tmp/w/D/chapters/04-devices/pit.c \
  /tmp/w/D/chapters/04-devices/pit.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/chapters/04-devices/pit_counter.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/pit.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/pit_counter.h:

/tmp/w/D/common/bits.h:
