/tmp/w/D/build-clang/02-protected-mode/before-vtx/deprive.o: \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/deprive.c \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/deprive.h \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/pretended.h \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/insn.h \
  /tmp/w/D/chapters/02-protected-mode/before-vtx/sensitive.h \
  /tmp/w/D/common/bits.h

/tmp/w/D/chapters/02-protected-mode/before-vtx/deprive.h:

/tmp/w/D/chapters/02-protected-mode/before-vtx/pretended.h:

/tmp/w/D/chapters/02-protected-mode/before-vtx/insn.h:

/tmp/w/D/chapters/02-protected-mode/before-vtx/sensitive.h:

/tmp/w/D/common/bits.h:
