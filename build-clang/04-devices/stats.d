/tmp/w/D/build-clang/04-devices/stats.o: \
  /tmp/w/D/chapters/04-devices/stats.c \
  /tmp/w/D/chapters/04-devices/stats.h \
  /tmp/w/D/chapters/01-kvm-hello/exits.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h

/tmp/w/D/chapters/04-devices/stats.h:

/tmp/w/D/chapters/01-kvm-hello/exits.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:
