/tmp/w/D/build-clang/04-devices/ps2_keyboard.o: \
  /tmp/w/D/chapters/04-devices/ps2_keyboard.c \
  /tmp/w/D/chapters/04-devices/ps2_keyboard.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/input.h \
  /tmp/w/D/chapters/04-devices/ps2.h \
  /tmp/w/D/chapters/04-devices/scancodes.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/ps2_keyboard.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/input.h:

/tmp/w/D/chapters/04-devices/ps2.h:

/tmp/w/D/chapters/04-devices/scancodes.h:

/tmp/w/D/common/bits.h:
