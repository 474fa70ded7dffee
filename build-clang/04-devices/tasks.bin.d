/tmp/w/D/build-clang/04-devices/tasks.bin : \
  /tmp/w/D/chapters/04-devices/guest/tasks.asm

