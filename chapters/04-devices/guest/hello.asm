; hello.asm: a line on the serial port, each character when there is room for it.
;
; expect: Hello from COM1, 0x000003f8.

%include "machine.inc"

start:  print   "Hello from COM1, 0x"
        print_hex COM1
        print   ".", 10
        halt
