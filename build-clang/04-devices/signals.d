/tmp/w/D/build-clang/04-devices/signals.o: \
  /tmp/w/D/chapters/04-devices/signals.c \
  /tmp/w/D/chapters/04-devices/signals.h /tmp/w/D/common/die.h \
  /tmp/w/D/common/term.h

/tmp/w/D/chapters/04-devices/signals.h:

/tmp/w/D/common/die.h:

/tmp/w/D/common/term.h:
