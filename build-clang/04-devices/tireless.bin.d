/tmp/w/D/build-clang/04-devices/tireless.bin : \
  /tmp/w/D/chapters/04-devices/guest/tireless.asm

