/tmp/w/D/build-clang/02-protected-mode/loststack.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/loststack.asm

