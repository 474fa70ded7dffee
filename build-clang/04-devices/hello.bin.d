/tmp/w/D/build-clang/04-devices/hello.bin : \
  /tmp/w/D/chapters/04-devices/guest/hello.asm

