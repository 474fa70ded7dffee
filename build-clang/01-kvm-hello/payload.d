/tmp/w/D/build-clang/01-kvm-hello/payload.o: \
  /tmp/w/D/chapters/01-kvm-hello/payload.c \
  /tmp/w/D/chapters/01-kvm-hello/payload.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h /tmp/w/D/common/die.h \
  /tmp/w/D/common/file.h /tmp/w/D/common/refusal.h

/tmp/w/D/chapters/01-kvm-hello/payload.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/common/die.h:

/tmp/w/D/common/file.h:

/tmp/w/D/common/refusal.h:
