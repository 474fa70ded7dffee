; syscalls.asm: a program in ring 3 that asks its kernel, by both of an x86's doors.
;
; expect: By int 0x80, through a gate of the IDT.
; expect: By syscall, through a register.
; expect: print the kernel's memory: refused by the kernel
; expect: print past the end: refused by the kernel
; expect: call number 99: refused by the kernel
; expect: The program has ended; the kernel is still here.

%include "kernel.inc"

kernel_main:
        lea     rax, [user]
        jmp     enter_user

program_ended:
        mov     rsp, KSTACK
        lea     rsi, [ended]
        call    print
        cli
        hlt

ended:  db "The program has ended; the kernel is still here.", 10, 0

align 4096
user:   lea     rdi, [hello80]
        mov     eax, SYS_PRINT
        int     0x80
        lea     rdi, [hello_syscall]
        mov     eax, SYS_PRINT
        syscall                         ; RCX and R11 do not survive this

        lea     rdi, [kernels_memory]
        call    say
        mov     edi, 0x1000
        call    say
        call    say_if_refused
        lea     rdi, [past_end]
        call    say
        mov     rdi, -1
        call    say
        call    say_if_refused
        lea     rdi, [number99]
        call    say
        mov     eax, 99
        syscall
        call    say_if_refused
        mov     eax, SYS_EXIT
        syscall

say:    mov     eax, SYS_PRINT
        syscall
        ret

say_if_refused:
        cmp     rax, -1
        jne     .end
        lea     rdi, [was_refused]
        call    say
.end:   ret

hello80:        db "By int 0x80, through a gate of the IDT.", 10, 0
hello_syscall:  db "By syscall, through a register.", 10, 0
kernels_memory: db "print the kernel's memory: ", 0
past_end:       db "print past the end: ", 0
number99:       db "call number 99: ", 0
was_refused:    db "refused by the kernel", 10, 0
user_end:
