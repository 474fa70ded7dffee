; dead.asm: firmware that dies half way. The last thing it said is on port 0x80.
;
; expect-error: last POST codes: 11 12 42
; status: 4

%include "machine.inc"

POST equ 0x80

start:  outb    POST, 0x11
        outb    POST, 0x12
        outb    POST, 0x42
        ud2                             ; no IDT: a triple fault
