/tmp/w/D/build-clang/tests/04-devices/test_pic: \
  /tmp/w/D/tests/04-devices/test_pic.c \
  /tmp/w/D/chapters/04-devices/bus.h /tmp/w/D/chapters/04-devices/pic.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/pic.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
