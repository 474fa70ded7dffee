/tmp/w/D/build-clang/tests/04-devices/test_dispatch: \
  /tmp/w/D/tests/04-devices/test_dispatch.c \
  /tmp/w/D/chapters/04-devices/dispatch.h \
  /tmp/w/D/chapters/04-devices/bus.h \
  /tmp/w/D/chapters/04-devices/ending.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/dispatch.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/ending.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
