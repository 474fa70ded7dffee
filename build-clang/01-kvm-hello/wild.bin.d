/tmp/w/D/build-clang/01-kvm-hello/wild.bin : \
  /tmp/w/D/chapters/01-kvm-hello/guest/wild.asm

