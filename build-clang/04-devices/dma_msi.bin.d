/tmp/w/D/build-clang/04-devices/dma_msi.bin : \
  /tmp/w/D/chapters/04-devices/guest/dma_msi.asm

