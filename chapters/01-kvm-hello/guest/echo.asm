; echo.asm: input. Reads bytes from port 0xe9 and sends them back as capitals.
;
; A 16-bit IN from the port gives the next byte of the host's standard input, or
; 0xffff at its end; the width of the access lets us tell a byte from "no byte",
; as C's getchar() does by returning an int.
;
; input: real mode\n
; expect: REAL MODE

[bits 16]
[org 0x1000]

TEXT_PORT equ 0xe9

.read:  in      ax, TEXT_PORT
        cmp     ax, 0xffff
        je      .end
        cmp     al, 'a'
        jb      .write
        cmp     al, 'z'
        ja      .write
        sub     al, 'a' - 'A'
.write: out     TEXT_PORT, al
        jmp     .read
.end:   hlt
