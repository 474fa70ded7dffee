/tmp/w/D/build-clang/02-protected-mode/hypercalls.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/hypercalls.asm

