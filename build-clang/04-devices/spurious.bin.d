/tmp/w/D/build-clang/04-devices/spurious.bin : \
  /tmp/w/D/chapters/04-devices/guest/spurious.asm

