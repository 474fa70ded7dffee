/tmp/w/D/build-clang/04-devices/ps2_mouse.o: \
  /tmp/w/D/chapters/04-devices/ps2_mouse.c \
  /tmp/w/D/chapters/04-devices/ps2_mouse.h \
  /tmp/w/D/chapters/04-devices/input.h \
  /tmp/w/D/chapters/04-devices/ps2.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/ps2_mouse.h:

/tmp/w/D/chapters/04-devices/input.h:

/tmp/w/D/chapters/04-devices/ps2.h:

/tmp/w/D/common/bits.h:
