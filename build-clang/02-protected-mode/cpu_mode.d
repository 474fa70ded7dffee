/tmp/w/D/build-clang/02-protected-mode/cpu_mode.o: \
  /tmp/w/D/chapters/02-protected-mode/cpu_mode.c \
  /tmp/w/D/chapters/02-protected-mode/cpu_mode.h \
  /tmp/w/D/chapters/02-protected-mode/x86.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/02-protected-mode/cpu_mode.h:

/tmp/w/D/chapters/02-protected-mode/x86.h:

/tmp/w/D/common/bits.h:
