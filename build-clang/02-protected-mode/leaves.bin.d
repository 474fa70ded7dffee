/tmp/w/D/build-clang/02-protected-mode/leaves.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/leaves.asm

