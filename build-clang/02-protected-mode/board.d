/tmp/w/D/build-clang/02-protected-mode/board.o: \
  /tmp/w/D/chapters/02-protected-mode/board.c \
  /tmp/w/D/chapters/02-protected-mode/board.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/01-kvm-hello/exits.h \
  /tmp/w/D/chapters/01-kvm-hello/stop.h \
  /tmp/w/D/chapters/02-protected-mode/cpu_mode.h \
  /tmp/w/D/chapters/02-protected-mode/launch.h \
  /tmp/w/D/chapters/02-protected-mode/step.h /tmp/w/D/common/bits.h \
  /tmp/w/D/common/die.h

/tmp/w/D/chapters/02-protected-mode/board.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/01-kvm-hello/exits.h:

/tmp/w/D/chapters/01-kvm-hello/stop.h:

/tmp/w/D/chapters/02-protected-mode/cpu_mode.h:

/tmp/w/D/chapters/02-protected-mode/launch.h:

/tmp/w/D/chapters/02-protected-mode/step.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/common/die.h:
