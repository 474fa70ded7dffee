/tmp/w/D/build-clang/04-devices/post.bin : \
  /tmp/w/D/chapters/04-devices/guest/post.asm

