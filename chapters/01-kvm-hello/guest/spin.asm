; spin.asm: a guest that never stops and never leaves: no exit will ever come.
;
; Only a signal to the VMM gets the processor back: Ctrl-C, or a time limit.
;
; args: --limit 0.2
; status: 5
; expect-error: still running after 0.2 s

[bits 16]
[org 0x1000]

        jmp     $
