/tmp/w/D/build-clang/tests/04-devices/test_keymap: \
  /tmp/w/D/tests/04-devices/test_keymap.c \
  /tmp/w/D/chapters/04-devices/keymap.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/input.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/keymap.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/input.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:
