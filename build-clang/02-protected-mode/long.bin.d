/tmp/w/D/build-clang/02-protected-mode/long.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/long.asm

