/tmp/w/D/build-clang/tests/04-devices/kvm_text: \
  /tmp/w/D/tests/04-devices/kvm_text.c \
  /tmp/w/D/chapters/04-devices/ending.h /tmp/w/D/tests/04-devices/vt.h \
  /tmp/w/D/chapters/04-devices/cp437.h \
  /tmp/w/D/chapters/04-devices/text_screen.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/ending.h:

/tmp/w/D/tests/04-devices/vt.h:

/tmp/w/D/chapters/04-devices/cp437.h:

/tmp/w/D/chapters/04-devices/text_screen.h:

/tmp/w/D/tests/harness/harness.h:
