/tmp/w/D/build-clang/01-kvm-hello/exits.o: \
  /tmp/w/D/chapters/01-kvm-hello/exits.c \
  /tmp/w/D/chapters/01-kvm-hello/exits.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/01-kvm-hello/exits.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/common/bits.h:
