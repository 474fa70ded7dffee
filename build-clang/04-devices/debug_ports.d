/tmp/w/D/build-clang/04-devices/debug_ports.o: \
  /tmp/w/D/chapters/04-devices/debug_ports.c \
  /tmp/w/D/chapters/04-devices/debug_ports.h \
  /tmp/w/D/chapters/04-devices/sink.h

/tmp/w/D/chapters/04-devices/debug_ports.h:

/tmp/w/D/chapters/04-devices/sink.h:
