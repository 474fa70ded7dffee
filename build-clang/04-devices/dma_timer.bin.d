/tmp/w/D/build-clang/04-devices/dma_timer.bin : \
  /tmp/w/D/chapters/04-devices/guest/dma_timer.asm

