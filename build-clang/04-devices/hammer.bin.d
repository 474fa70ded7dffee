/tmp/w/D/build-clang/04-devices/hammer.bin : \
  /tmp/w/D/chapters/04-devices/guest/hammer.asm

