/tmp/w/D/build-clang/01-kvm-hello/memory.o: \
  /tmp/w/D/chapters/01-kvm-hello/memory.c \
  /tmp/w/D/chapters/01-kvm-hello/memory.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/common/bits.h:
