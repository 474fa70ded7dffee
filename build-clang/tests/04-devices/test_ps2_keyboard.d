/tmp/w/D/build-clang/tests/04-devices/test_ps2_keyboard: \
  /tmp/w/D/tests/04-devices/test_ps2_keyboard.c \
  /tmp/w/D/chapters/04-devices/i8042.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/chapters/04-devices/ps2.h \
  /tmp/w/D/chapters/04-devices/ps2_keyboard.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/input.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/i8042.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/ps2.h:

/tmp/w/D/chapters/04-devices/ps2_keyboard.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/input.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
