/tmp/w/D/build-clang/02-protected-mode/exits.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/exits.asm

