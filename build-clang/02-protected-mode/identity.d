/tmp/w/D/build-clang/02-protected-mode/identity.o: \
  /tmp/w/D/chapters/02-protected-mode/identity.c \
  /tmp/w/D/chapters/02-protected-mode/identity.h \
  /tmp/w/D/chapters/02-protected-mode/hypercall.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/02-protected-mode/identity.h:

/tmp/w/D/chapters/02-protected-mode/hypercall.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/common/bits.h:
