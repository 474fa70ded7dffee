/tmp/w/D/build-clang/04-devices/trace.o: \
  /tmp/w/D/chapters/04-devices/trace.c \
  /tmp/w/D/chapters/04-devices/trace.h /tmp/w/D/common/refusal.h \
  /tmp/w/D/common/die.h

/tmp/w/D/chapters/04-devices/trace.h:

/tmp/w/D/common/refusal.h:

/tmp/w/D/common/die.h:
