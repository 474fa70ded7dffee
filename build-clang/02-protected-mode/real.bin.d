/tmp/w/D/build-clang/02-protected-mode/real.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/real.asm

