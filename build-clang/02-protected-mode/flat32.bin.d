/tmp/w/D/build-clang/02-protected-mode/flat32.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/flat32.asm

