/tmp/w/D/build-clang/tests/04-devices/test_i8042: \
  /tmp/w/D/tests/04-devices/test_i8042.c \
  /tmp/w/D/chapters/04-devices/bus.h \
  /tmp/w/D/chapters/04-devices/i8042.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/chapters/04-devices/ps2.h \
  /tmp/w/D/chapters/04-devices/input.h \
  /tmp/w/D/chapters/04-devices/reset.h \
  /tmp/w/D/chapters/04-devices/scancodes.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/i8042.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/ps2.h:

/tmp/w/D/chapters/04-devices/input.h:

/tmp/w/D/chapters/04-devices/reset.h:

/tmp/w/D/chapters/04-devices/scancodes.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
