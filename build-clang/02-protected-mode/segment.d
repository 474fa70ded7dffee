/tmp/w/D/build-clang/02-protected-mode/segment.o: \
  /tmp/w/D/chapters/02-protected-mode/segment.c \
  /tmp/w/D/chapters/02-protected-mode/segment.h \
  /tmp/w/D/chapters/02-protected-mode/x86.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/02-protected-mode/segment.h:

/tmp/w/D/chapters/02-protected-mode/x86.h:

/tmp/w/D/common/bits.h:
