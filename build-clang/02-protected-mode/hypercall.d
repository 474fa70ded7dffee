/tmp/w/D/build-clang/02-protected-mode/hypercall.o: \
  /tmp/w/D/chapters/02-protected-mode/hypercall.c \
  /tmp/w/D/chapters/02-protected-mode/hypercall.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h

/tmp/w/D/chapters/02-protected-mode/hypercall.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:
