/tmp/w/D/build-clang/04-devices/exitcost-qemu.bin : \
  /tmp/w/D/chapters/04-devices/guest/exitcost-qemu.asm

