; loststack.asm: a kernel whose stack pointer points nowhere.
;
; status: 3
; expect: Still running.
; expect-error: triple fault
; expect-error: its frame would go to the stack at 0x800000001000, which is not canonical

%include "kernel.inc"

kernel_main:
        mov     rsp, 0x800000001000
        lea     rsi, [running]
.next:  lodsb                           ; no call, no push: nothing is needed yet
        out     TEXT_PORT, al
        cmp     al, 10
        jne     .next
        ud2                             ; now it is
        hlt

program_ended: hlt
running: db "Still running.", 10

user:
user_end:
