/tmp/w/D/build-clang/01-kvm-hello/spin.bin : \
  /tmp/w/D/chapters/01-kvm-hello/guest/spin.asm

