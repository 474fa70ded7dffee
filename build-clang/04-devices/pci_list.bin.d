/tmp/w/D/build-clang/04-devices/pci_list.bin : \
  /tmp/w/D/chapters/04-devices/guest/pci_list.asm

