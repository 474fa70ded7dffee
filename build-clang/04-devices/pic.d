/tmp/w/D/build-clang/04-devices/pic.o: /tmp/w/D/chapters/04-devices/pic.c \
  /tmp/w/D/chapters/04-devices/pic.h /tmp/w/D/chapters/04-devices/irq.h \
  /tmp/w/D/common/bits.h

/tmp/w/D/chapters/04-devices/pic.h:

/tmp/w/D/chapters/04-devices/irq.h:

/tmp/w/D/common/bits.h:
