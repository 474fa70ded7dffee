; batch.asm: many bytes with one instruction, in and out.
;
; REP INSW reads CX words from a port into memory at ES:DI; REP OUTSB writes CX
; bytes from DS:SI to a port. The memory address moves on with each item, the port
; does not. KVM asks for all the words of the first with a single exit; of the
; second it makes an exit for each byte.
;
; input: string I/O\n
; expect: string I/O

[bits 16]
[org 0x1000]

TEXT_PORT equ 0xe9
COUNT     equ 11                        ; the input, with its line's end
WORDS     equ 0x4000
BYTES     equ 0x5000

        cld
        mov     dx, TEXT_PORT
        mov     di, WORDS
        mov     cx, COUNT
        rep insw

        mov     si, WORDS               ; keep the low byte of each word
        mov     di, BYTES
        mov     cx, COUNT
.pack:  lodsw
        stosb
        loop    .pack

        mov     si, BYTES
        mov     cx, COUNT
        rep outsb
        hlt
