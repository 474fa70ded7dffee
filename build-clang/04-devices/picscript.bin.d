/tmp/w/D/build-clang/04-devices/picscript.bin : \
  /tmp/w/D/chapters/04-devices/guest/picscript.asm

