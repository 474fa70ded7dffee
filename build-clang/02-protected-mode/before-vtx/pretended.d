/tmp/w/D/build-clang/02-protected-mode/before-vtx/pretended.o: \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/pretended.c \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/pretended.h \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/insn.h \
  /tmp/w/D/chapters/01-kvm-hello/kvm.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/02-protected-mode/entry.h /tmp/w/D/common/bits.h \
  /tmp/w/D/chapters/02-protected-mode/x86.h

/tmp/w/D/chapters/02-protected-mode/before-vtx/pretended.h:

/tmp/w/D/chapters/02-protected-mode/before-vtx/insn.h:

/tmp/w/D/chapters/01-kvm-hello/kvm.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/02-protected-mode/entry.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/chapters/02-protected-mode/x86.h:
