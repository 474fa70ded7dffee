/tmp/w/D/build-clang/tests/04-devices/test_rtc: \
  /tmp/w/D/tests/04-devices/test_rtc.c \
  /tmp/w/D/chapters/04-devices/bus.h /tmp/w/D/chapters/04-devices/cmos.h \
  /tmp/w/D/chapters/04-devices/rtc.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/cmos.h:

/tmp/w/D/chapters/04-devices/rtc.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
