/tmp/w/D/build-clang/common/die.o: /tmp/w/D/common/die.c \
  /tmp/w/D/common/die.h /tmp/w/D/common/term.h

/tmp/w/D/common/die.h:

/tmp/w/D/common/term.h:
