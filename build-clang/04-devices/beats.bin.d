/tmp/w/D/build-clang/04-devices/beats.bin : \
  /tmp/w/D/chapters/04-devices/guest/beats.asm

