/tmp/w/D/build-clang/tests/harness/terminal.o: \
  /tmp/w/D/tests/harness/terminal.c /tmp/w/D/tests/harness/harness.h

/tmp/w/D/tests/harness/harness.h:
