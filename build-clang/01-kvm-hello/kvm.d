/tmp/w/D/build-clang/01-kvm-hello/kvm.o: \
  /tmp/w/D/chapters/01-kvm-hello/kvm.c \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h /tmp/w/D/common/bits.h \
  /tmp/w/D/common/die.h

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/common/die.h:
