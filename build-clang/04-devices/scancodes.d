/tmp/w/D/build-clang/04-devices/scancodes.o: \
  /tmp/w/D/chapters/04-devices/scancodes.c \
  /tmp/w/D/chapters/04-devices/scancodes.h \
  /tmp/w/D/chapters/04-devices/input.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/scancodes.h:

/tmp/w/D/chapters/04-devices/input.h:

/tmp/w/D/common/bits.h:
