; flat64.asm: the first instruction already runs in 64-bit mode.
;
; args: --mode long --entry vmm
; expect: Long mode, and we never saw the stairs.

[bits 64]
[org 0x1000]
%include "text.inc"

        lea     rsi, [rel hello]
.print: lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     .print
.end:   hlt

hello:  db "Long mode, and we never saw the stairs.", 10, 0
