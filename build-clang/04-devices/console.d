/tmp/w/D/build-clang/04-devices/console.o: \
  /tmp/w/D/chapters/04-devices/console.c \
  /tmp/w/D/chapters/04-devices/console.h \
  /tmp/w/D/chapters/04-devices/sink.h \
  /tmp/w/D/chapters/04-devices/uart.h /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/common/die.h

/tmp/w/D/chapters/04-devices/console.h:

/tmp/w/D/chapters/04-devices/sink.h:

/tmp/w/D/chapters/04-devices/uart.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/common/die.h:
