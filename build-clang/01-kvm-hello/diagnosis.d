/tmp/w/D/build-clang/01-kvm-hello/diagnosis.o: \
  /tmp/w/D/chapters/01-kvm-hello/diagnosis.c \
  /tmp/w/D/chapters/01-kvm-hello/diagnosis.h \
  /tmp/w/D/chapters/01-kvm-hello/host.h \
  /tmp/w/D/chapters/01-kvm-hello/probe.h \
  /tmp/w/D/chapters/01-kvm-hello/exits.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h

/tmp/w/D/chapters/01-kvm-hello/diagnosis.h:

/tmp/w/D/chapters/01-kvm-hello/host.h:

/tmp/w/D/chapters/01-kvm-hello/probe.h:

/tmp/w/D/chapters/01-kvm-hello/exits.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:
