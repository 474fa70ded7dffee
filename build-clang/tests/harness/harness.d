/tmp/w/D/build-clang/tests/harness/harness.o: \
  /tmp/w/D/tests/harness/harness.c /tmp/w/D/tests/harness/harness.h

/tmp/w/D/tests/harness/harness.h:
