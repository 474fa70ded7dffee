/tmp/w/D/build-clang/01-kvm-hello/batch.bin : \
  /tmp/w/D/chapters/01-kvm-hello/guest/batch.asm

