/tmp/w/D/build-clang/02-protected-mode/syscalls.bin : \
  /tmp/w/D/chapters/02-protected-mode/guest/syscalls.asm

