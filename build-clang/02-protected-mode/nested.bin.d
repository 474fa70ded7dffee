/tmp/w/D/build-clang/02-protected-mode/nested.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/nested.asm

