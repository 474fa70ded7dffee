/tmp/w/D/build-clang/04-devices/fast.bin : \
  /tmp/w/D/chapters/04-devices/guest/fast.asm

