; lostidt.asm: a kernel that loads an empty interrupt table and goes on.
;
; status: 3
; expect: Still running.
; expect-error: triple fault
; expect-error: the IDT at 0x0 ends at byte 0x0, before gate 8

%include "kernel.inc"

kernel_main:
        lidt    [no_table]
        lea     rsi, [running]
.next:  lodsb                           ; no call, no push: nothing is needed yet
        out     TEXT_PORT, al
        cmp     al, 10
        jne     .next
        ud2                             ; now it is
        hlt

program_ended: hlt
running: db "Still running.", 10
no_table: dw 0
          dq 0
user:
user_end:
