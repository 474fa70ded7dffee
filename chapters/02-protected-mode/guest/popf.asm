; popf.asm: what ring 3 may not change, and is not told so.
;
; The flag shown is that of the machine which runs the program. Where a KVM without
; hardware runs the guest's ring 3 as ring 3 of the host, that is the host's flag: 1.
;
; expect: The program ends: #UD, error code 0x0, in ring 3
; expect: The interrupt flag: before 0, asked for 1, after 0.

%include "kernel.inc"

kernel_main:
        lea     rax, [user]
        jmp     enter_user

program_ended:                          ; R12: the flag before, R13: after
        mov     rsp, KSTACK
        lea     rsi, [was]
        call    print
        mov     eax, r12d
        out     TEXT_PORT, al
        lea     rsi, [wanted]
        call    print
        mov     eax, r13d
        out     TEXT_PORT, al
        lea     rsi, [full_stop]
        call    print
        hlt

was:       db "The interrupt flag: before ", 0
wanted:    db ", asked for 1, after ", 0
full_stop: db ".", 10, 0

align 4096
; [popf]
user:   pushfq
        pop     rcx                     ; RFLAGS as they are
        mov     rax, rcx
        or      eax, RFLAGS_IF
        push    rax
        popfq                           ; interrupts on, please
        pushfq
        pop     rdx                     ; and as they are now
; [/popf]
        shr     ecx, 9                  ; the interrupt flag is bit 9
        and     ecx, 1
        lea     r12d, [rcx + '0']
        shr     edx, 9
        and     edx, 1
        lea     r13d, [rdx + '0']
        lea     rdi, [ends]
        ud2                             ; R15 is 0: the program ends here

ends:   db "The program ends: ", 0
user_end:
