/tmp/w/D/build-clang/04-devices/keymap.o: \
  /tmp/w/D/chapters/04-devices/keymap.c \
  /tmp/w/D/chapters/04-devices/keymap.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/input.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/keymap.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/input.h:

/tmp/w/D/common/bits.h:
