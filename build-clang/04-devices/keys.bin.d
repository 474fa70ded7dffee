/tmp/w/D/build-clang/04-devices/keys.bin : \
  /tmp/w/D/chapters/04-devices/guest/keys.asm

