/tmp/w/D/build-clang/02-protected-mode/launch.o: \
  /tmp/w/D/chapters/02-protected-mode/launch.c \
  /tmp/w/D/chapters/02-protected-mode/launch.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/02-protected-mode/sregs_check.h

/tmp/w/D/chapters/02-protected-mode/launch.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/02-protected-mode/sregs_check.h:
