; flat32.asm: the first instruction already runs in protected mode.
;
; The VMM built the GDT, loaded the segment registers and set CR0.PE before the
; processor fetched a byte. Compare protected.asm: nothing is left of the climb.
;
; args: --mode protected --entry vmm
; expect: Protected mode, and we never saw the stairs.

[bits 32]
[org 0x1000]
%include "text.inc"

        mov     esi, hello
.print: lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     .print
.end:   hlt

hello:  db "Protected mode, and we never saw the stairs.", 10, 0
