/tmp/w/D/build-clang/01-kvm-hello/host.o: \
  /tmp/w/D/chapters/01-kvm-hello/host.c \
  /tmp/w/D/chapters/01-kvm-hello/host.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/01-kvm-hello/host.h:

/tmp/w/D/common/bits.h:
