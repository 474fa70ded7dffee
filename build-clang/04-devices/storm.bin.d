/tmp/w/D/build-clang/04-devices/storm.bin : \
  /tmp/w/D/chapters/04-devices/guest/storm.asm

