/tmp/w/D/build-clang/04-devices/text_screen.o: \
  /tmp/w/D/chapters/04-devices/text_screen.c \
  /tmp/w/D/chapters/04-devices/text_screen.h

/tmp/w/D/chapters/04-devices/text_screen.h:
