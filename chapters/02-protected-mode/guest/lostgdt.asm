; lostgdt.asm: a kernel that wipes its own descriptors and goes on.
;
; status: 3
; expect: Still running.
; expect-error: triple fault
; expect-error: its selector 0x8 names a descriptor that is not present

%include "kernel.inc"

; [lost]
kernel_main:
        xor     eax, eax
        mov     edi, gdt
        mov     ecx, gdt_register - gdt
        rep     stosb                   ; CS keeps its hidden part: nothing happens yet
        lea     rsi, [running]
.next:  lodsb                           ; no call, no push: nothing is needed yet
        out     TEXT_PORT, al
        cmp     al, 10
        jne     .next
        ud2                             ; now it is
; [/lost]
        hlt

program_ended: hlt
running: db "Still running.", 10

user:
user_end:
