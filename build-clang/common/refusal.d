/tmp/w/D/build-clang/common/refusal.o: /tmp/w/D/common/refusal.c \
  /tmp/w/D/common/refusal.h

/tmp/w/D/common/refusal.h:
