/tmp/w/D/build-clang/01-kvm-hello/probe.o: \
  /tmp/w/D/chapters/01-kvm-hello/probe.c \
  /tmp/w/D/chapters/01-kvm-hello/probe.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h /tmp/w/D/common/bits.h \
  /tmp/w/D/common/embed.h

/tmp/w/D/chapters/01-kvm-hello/probe.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/common/embed.h:
