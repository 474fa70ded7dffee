/tmp/w/D/build-clang/tests/04-devices/test_text_screen: \
  /tmp/w/D/tests/04-devices/test_text_screen.c \
  /tmp/w/D/chapters/04-devices/bus.h \
  /tmp/w/D/chapters/04-devices/cp437.h \
  /tmp/w/D/chapters/04-devices/screen_view.h \
  /tmp/w/D/chapters/04-devices/sink.h \
  /tmp/w/D/chapters/04-devices/text_screen.h /tmp/w/D/common/bits.h \
  /tmp/w/D/tests/harness/harness.h /tmp/w/D/tests/04-devices/vt.h

/tmp/w/D/chapters/04-devices/bus.h:

/tmp/w/D/chapters/04-devices/cp437.h:

/tmp/w/D/chapters/04-devices/screen_view.h:

/tmp/w/D/chapters/04-devices/sink.h:

/tmp/w/D/chapters/04-devices/text_screen.h:

/tmp/w/D/common/bits.h:

/tmp/w/D/tests/harness/harness.h:

/tmp/w/D/tests/04-devices/vt.h:
