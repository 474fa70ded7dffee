/tmp/w/D/build-clang/02-protected-mode/deprived.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/deprived.asm

