/tmp/w/D/build-clang/tests/04-devices/test_bus: \
  /tmp/w/D/tests/04-devices/test_bus.c \
  /tmp/w/D/chapters/04-devices/bus.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
