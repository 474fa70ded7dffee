/tmp/w/D/build-clang/04-devices/echo.bin : \
  /tmp/w/D/chapters/04-devices/guest/echo.asm

