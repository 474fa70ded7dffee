/tmp/w/D/build-clang/02-protected-mode/before-vtx/cost.o: \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/cost.c \
  /tmp/w/D/chapters/01-kvm-hello/payload.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/cost.h \
  /tmp/w/D/chapters/02-protected-mode/board.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/02-protected-mode/entry.h /tmp/w/D/common/bits.h \
  /tmp/w/D/chapters/02-protected-mode/launch.h /tmp/w/D/common/embed.h

/tmp/w/D/chapters/01-kvm-hello/payload.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/02-protected-mode/before-vtx/cost.h:

/tmp/w/D/chapters/02-protected-mode/board.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/02-protected-mode/entry.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/chapters/02-protected-mode/launch.h:

/tmp/w/D/common/embed.h:
