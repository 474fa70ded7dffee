/tmp/w/D/build-clang/02-protected-mode/protected.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/protected.asm

