/tmp/w/D/build-clang/02-protected-mode/lostgdt.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/lostgdt.asm

