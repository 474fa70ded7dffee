/tmp/w/D/build-clang/02-protected-mode/sregs_check.o: \
  /tmp/w/D/chapters/02-protected-mode/sregs_check.c \
  /tmp/w/D/chapters/02-protected-mode/sregs_check.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/02-protected-mode/x86.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/02-protected-mode/sregs_check.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/02-protected-mode/x86.h:

/tmp/w/D/common/bits.h:
