/tmp/w/D/build-clang/02-protected-mode/hidden.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/hidden.asm

