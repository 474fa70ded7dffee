/tmp/w/D/build-clang/04-devices/alarms.o: \
  /tmp/w/D/chapters/04-devices/alarms.c \
  /tmp/w/D/chapters/04-devices/alarms.h \
  /tmp/w/D/chapters/04-devices/clock.h /tmp/w/D/common/die.h

/tmp/w/D/chapters/04-devices/alarms.h:

/tmp/w/D/chapters/04-devices/clock.h:

/tmp/w/D/common/die.h:
