/tmp/w/D/build-clang/01-kvm-hello/triple.bin : \
  /tmp/w/D/chapters/01-kvm-hello/guest/triple.asm

