/tmp/w/D/build-clang/04-devices/dispatch.o: \
  /tmp/w/D/chapters/04-devices/dispatch.c \
  /tmp/w/D/chapters/04-devices/dispatch.h \
  /tmp/w/D/chapters/04-devices/bus.h \
  /tmp/w/D/chapters/04-devices/ending.h

/tmp/w/D/chapters/04-devices/dispatch.h:

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/ending.h:
