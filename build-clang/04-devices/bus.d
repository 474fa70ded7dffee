/tmp/w/D/build-clang/04-devices/bus.o: /tmp/w/D/chapters/04-devices/bus.c \
  /tmp/w/D/chapters/04-devices/bus.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/common/bits.h:
