/tmp/w/D/build-clang/01-kvm-hello/echo.bin : \
  /tmp/w/D/chapters/01-kvm-hello/guest/echo.asm

