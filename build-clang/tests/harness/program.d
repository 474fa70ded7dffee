/tmp/w/D/build-clang/tests/harness/program.o: \
  /tmp/w/D/tests/harness/program.c /tmp/w/D/tests/harness/harness.h

/tmp/w/D/tests/harness/harness.h:
