/tmp/w/D/build-clang/04-devices/ioapic.bin : \
  /tmp/w/D/chapters/04-devices/guest/ioapic.asm

