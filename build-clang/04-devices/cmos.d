/tmp/w/D/build-clang/04-devices/cmos.o: \
  /tmp/w/D/chapters/04-devices/cmos.c \
  /tmp/w/D/chapters/04-devices/cmos.h /tmp/w/D/chapters/04-devices/rtc.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/cmos.h:

/tmp/w/D/chapters/04-devices/rtc.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/common/bits.h:
