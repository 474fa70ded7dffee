/tmp/w/D/build-clang/02-protected-mode/refused.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/refused.asm

