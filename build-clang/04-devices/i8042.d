/tmp/w/D/build-clang/04-devices/i8042.o: \
  /tmp/w/D/chapters/04-devices/i8042.c \
  /tmp/w/D/chapters/04-devices/i8042.h \
  /tmp/w/D/chapters/04-devices/irq.h /tmp/w/D/chapters/04-devices/ps2.h \
  /tmp/w/D/chapters/04-devices/scancodes.h

/tmp/w/D/chapters/04-devices/i8042.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/ps2.h:

/tmp/w/D/chapters/04-devices/scancodes.h:
