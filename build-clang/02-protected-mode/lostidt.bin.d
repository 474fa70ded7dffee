/tmp/w/D/build-clang/02-protected-mode/lostidt.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/lostidt.asm

