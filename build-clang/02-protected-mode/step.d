/tmp/w/D/build-clang/02-protected-mode/step.o: \
  /tmp/w/D/chapters/02-protected-mode/step.c \
  /tmp/w/D/chapters/02-protected-mode/step.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h

/tmp/w/D/chapters/02-protected-mode/step.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:
