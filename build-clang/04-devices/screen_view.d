/tmp/w/D/build-clang/04-devices/screen_view.o: \
  /tmp/w/D/chapters/04-devices/screen_view.c \
  /tmp/w/D/chapters/04-devices/screen_view.h \
  /tmp/w/D/chapters/04-devices/sink.h \
  /tmp/w/D/chapters/04-devices/text_screen.h \
  /tmp/w/D/chapters/04-devices/cp437.h

/tmp/w/D/chapters/04-devices/screen_view.h:

/tmp/w/D/chapters/04-devices/sink.h:

/tmp/w/D/chapters/04-devices/text_screen.h:

/tmp/w/D/chapters/04-devices/cp437.h:
