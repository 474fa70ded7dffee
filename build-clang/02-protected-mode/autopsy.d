/tmp/w/D/build-clang/02-protected-mode/autopsy.o: \
  /tmp/w/D/chapters/02-protected-mode/autopsy.c \
  /tmp/w/D/chapters/02-protected-mode/autopsy.h \
  /tmp/w/D/chapters/01-kvm-hello/memory.h \
  /tmp/w/D/chapters/02-protected-mode/cpu_mode.h \
  /tmp/w/D/chapters/02-protected-mode/segment.h \
  /tmp/w/D/chapters/02-protected-mode/x86.h /tmp/w/D/common/bits.h

/tmp/w/D/chapters/02-protected-mode/autopsy.h:

/tmp/w/D/chapters/01-kvm-hello/memory.h:

/tmp/w/D/chapters/02-protected-mode/cpu_mode.h:

/tmp/w/D/chapters/02-protected-mode/segment.h:

/tmp/w/D/chapters/02-protected-mode/x86.h:

/tmp/w/D/common/bits.h:
