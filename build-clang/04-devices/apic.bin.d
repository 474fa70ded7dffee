/tmp/w/D/build-clang/04-devices/apic.bin : \
  /tmp/w/D/chapters/04-devices/guest/apic.asm

