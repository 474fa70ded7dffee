/tmp/w/D/build-clang/01-kvm-hello/offmap.bin : \
  /tmp/w/D/chapters/01-kvm-hello/guest/offmap.asm

