/tmp/w/D/build-clang/04-devices/dead.bin : \
  /tmp/w/D/chapters/04-devices/guest/dead.asm

