/tmp/w/D/build-clang/tests/04-devices/test_console: \
  /tmp/w/D/tests/04-devices/test_console.c \
  /tmp/w/D/chapters/04-devices/console.h \
  /tmp/w/D/chapters/04-devices/sink.h \
  /tmp/w/D/chapters/04-devices/uart.h /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/console.h:

/tmp/w/D/chapters/04-devices/sink.h:

/tmp/w/D/chapters/04-devices/uart.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/tests/harness/harness.h:
