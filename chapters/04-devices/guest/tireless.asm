; tireless.asm: exits as fast as they come, for ever: ports, memory, strings, text.
;
; The VMM must stay in command: Ctrl-C, Ctrl-A x and signals end it at once.

%include "machine.inc"

HOLE    equ 0xd0000000

start:  print   "tireless", 10
.again: mov     dx, COM1
        mov     al, '.'
        out     dx, al                  ; not asking whether there is room
        mov     dx, 0x70
        in      ax, dx
        mov     [HOLE], eax
        mov     edi, 0x100000
        mov     ecx, 4096
        mov     dx, COM1 + LSR
        rep     insb
        jmp     .again
