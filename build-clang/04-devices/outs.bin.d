/tmp/w/D/build-clang/04-devices/outs.bin : \
  /tmp/w/D/chapters/04-devices/guest/outs.asm

