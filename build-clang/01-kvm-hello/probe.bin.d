/tmp/w/D/build-clang/01-kvm-hello/probe.bin : \
  /tmp/w/D/chapters/01-kvm-hello/guest/probe.asm

