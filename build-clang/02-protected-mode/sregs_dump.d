/tmp/w/D/build-clang/02-protected-mode/sregs_dump.o: \
  /tmp/w/D/chapters/02-protected-mode/sregs_dump.c \
  /tmp/w/D/chapters/02-protected-mode/sregs_dump.h \
  /tmp/w/D/common/refusal.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/02-protected-mode/sregs_dump.h:

/tmp/w/D/common/refusal.h:

/tmp/w/D/common/bits.h:
