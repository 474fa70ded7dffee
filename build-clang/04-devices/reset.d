/tmp/w/D/build-clang/04-devices/reset.o: \
  /tmp/w/D/chapters/04-devices/reset.c \
  /tmp/w/D/chapters/04-devices/reset.h \
  /tmp/w/D/chapters/04-devices/irq.h

/tmp/w/D/chapters/04-devices/reset.h:

/tmp/w/D/chapters/04-devices/irq.h:
