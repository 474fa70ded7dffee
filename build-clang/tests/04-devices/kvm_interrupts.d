/tmp/w/D/build-clang/tests/04-devices/kvm_interrupts: \
  /tmp/w/D/tests/04-devices/kvm_interrupts.c \
  /tmp/w/D/tests/harness/harness.h

/tmp/w/D/tests/harness/harness.h:
