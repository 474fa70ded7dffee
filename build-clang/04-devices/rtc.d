/tmp/w/D/build-clang/04-devices/rtc.o: /tmp/w/D/chapters/04-devices/rtc.c \
  /tmp/w/D/chapters/04-devices/rtc.h \
  /tmp/w/D/chapters/04-devices/clock.h \
  /tmp/w/D/chapters/04-devices/irq.h

/tmp/w/D/chapters/04-devices/rtc.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/chapters/04-devices/irq.h:
