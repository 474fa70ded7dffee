/tmp/w/D/build-clang/tests/04-devices/test_alarms: \
  /tmp/w/D/tests/04-devices/test_alarms.c \
  /tmp/w/D/chapters/04-devices/alarms.h \
  /tmp/w/D/chapters/04-devices/clock.h /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/alarms.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/tests/harness/harness.h:
