/tmp/w/D/build-clang/02-protected-mode/flat64.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/flat64.asm

