/tmp/w/D/build-clang/04-devices/irqprobe.bin : \
  /tmp/w/D/chapters/04-devices/guest/irqprobe.asm

