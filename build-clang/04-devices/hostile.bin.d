/tmp/w/D/build-clang/04-devices/hostile.bin : \
  /tmp/w/D/chapters/04-devices/guest/hostile.asm

