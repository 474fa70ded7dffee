/tmp/w/D/build-clang/04-devices/uart.o: \
  /tmp/w/D/chapters/04-devices/uart.c \
  /tmp/w/D/chapters/04-devices/uart.h /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/chapters/04-devices/sink.h

/tmp/w/D/chapters/04-devices/uart.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/chapters/04-devices/sink.h:
