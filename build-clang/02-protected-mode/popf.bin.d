/tmp/w/D/build-clang/02-protected-mode/popf.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/popf.asm

