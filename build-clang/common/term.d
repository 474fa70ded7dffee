/tmp/w/D/build-clang/common/term.o: /tmp/w/D/common/term.c \
  /tmp/w/D/common/term.h /tmp/w/D/common/bits.h

/tmp/w/D/common/term.h:

/tmp/w/D/common/bits.h:
