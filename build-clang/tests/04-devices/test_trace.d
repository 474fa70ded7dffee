/tmp/w/D/build-clang/tests/04-devices/test_trace: \
  /tmp/w/D/tests/04-devices/test_trace.c \
  /tmp/w/D/chapters/04-devices/stats.h \
  /tmp/w/D/chapters/04-devices/trace.h /tmp/w/D/common/refusal.h \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/chapters/04-devices/stats.h:

/tmp/w/D/chapters/04-devices/trace.h:

/tmp/w/D/common/refusal.h:

/tmp/w/D/tests/harness/harness.h:
