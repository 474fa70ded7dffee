/tmp/w/D/build-clang/02-protected-mode/privilege.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/privilege.asm

