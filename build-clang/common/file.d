/tmp/w/D/build-clang/common/file.o: /tmp/w/D/common/file.c \
  /tmp/w/D/common/file.h /tmp/w/D/common/refusal.h

/tmp/w/D/common/file.h:

/tmp/w/D/common/refusal.h:
