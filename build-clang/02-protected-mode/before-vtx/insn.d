/tmp/w/D/build-clang/02-protected-mode/before-vtx/insn.o: \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/insn.c \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/insn.h

/tmp/w/D/chapters/02-protected-mode/before-vtx/insn.h:
