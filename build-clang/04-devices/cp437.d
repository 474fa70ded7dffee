/tmp/w/D/build-clang/04-devices/cp437.o: \
  /tmp/w/D/chapters/04-devices/cp437.c \
  /tmp/w/D/chapters/04-devices/cp437.h

/tmp/w/D/chapters/04-devices/cp437.h:
