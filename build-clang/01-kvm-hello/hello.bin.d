/tmp/w/D/build-clang/01-kvm-hello/hello.bin : \
  /tmp/w/D/chapters/01-kvm-hello/guest/hello.asm

