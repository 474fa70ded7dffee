/tmp/w/D/build-clang/04-devices/pit_counter.o: \
  /tmp/w/D/chapters/04-devices/pit_counter.c \
  /tmp/w/D/chapters/04-devices/pit_counter.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/pit_counter.h:

/tmp/w/D/common/bits.h:
