; privilege.asm: a program in ring 3 that does what only ring 0 may do.
;
; It uses no system call. Before each attempt it puts a text into RDI and the place to
; go on at into R15; the kernel's exception handler prints the one and returns to the
; other. An attempt that no exception stops runs into UD2, which is one.
;
; expect: The kernel is in ring 0 and starts a program in ring 3.
; expect: cli: #GP, error code 0x0, in ring 3
; expect: hlt: #GP, error code 0x0, in ring 3
; expect: mov cr3: #GP, error code 0x0, in ring 3
; expect: lgdt: #GP, error code 0x0, in ring 3
; expect: wrmsr: #GP, error code 0x0, in ring 3
; expect: out to a port: #GP, error code 0x0, in ring 3
; expect: load ring 0's data segment: #GP, error code 0x10, in ring 3
; expect: write to the kernel's page: #PF, error code 0x7, address 0x1000, in ring 3
; expect: read from the kernel's page: #PF, error code 0x5, address 0x1000, in ring 3
; expect: write where nothing is mapped: #PF, error code 0x6, address 0xdead000, in ring 3
; expect: read a non-canonical address: #GP, error code 0x0, in ring 3
; expect: jump into the kernel: #PF, error code 0x5, address 0x1000, in ring 3
; expect: it ends by an exception: #UD, error code 0x0, in ring 3
; expect: The program has ended; the kernel is still here.

%include "kernel.inc"

kernel_main:
        lea     rsi, [in_kernel]
        call    print
        lea     rax, [user]
        jmp     enter_user

program_ended:
        mov     rsp, KSTACK
        lea     rsi, [ended]
        call    print
        cli
        hlt

in_kernel: db "The kernel is in ring 0 and starts a program in ring 3.", 10, 0
ended:     db "The program has ended; the kernel is still here.", 10, 0

; What follows is ring 3's: its own pages, readable and writable.
align 4096
; [attempt]
%macro attempt 2+
        lea     rdi, [%%text]
        lea     r15, [%%after]          ; where the exception handler returns to
        %2
        lea     rdi, [silent]
        ud2
%%text: db %1, ": ", 0
%%after:
%endmacro
; [/attempt]

; [attempts]
user:   attempt "cli", cli
        attempt "hlt", hlt
        attempt "mov cr3", mov cr3, rax
        attempt "lgdt", lgdt [no_table]
        attempt "wrmsr", wrmsr
        attempt "out to a port", out TEXT_PORT, al
        mov     ebx, KDATA
        attempt "load ring 0's data segment", mov ds, ebx
        attempt "write to the kernel's page", mov byte [0x1000], 0
        attempt "read from the kernel's page", mov al, [0x1000]
        attempt "write where nothing is mapped", mov byte [0xdead000], 0
        mov     rbx, 0x800000000000     ; bit 47 set, bits 48 to 63 clear
        attempt "read a non-canonical address", mov al, [rbx]
        mov     ebx, 0x1000
        attempt "jump into the kernel", jmp rbx
; [/attempts]

        lea     rdi, [last]
        ud2                             ; R15 is 0: there is nowhere to go on

silent:   db "nothing stops it ", 0
last:     db "it ends by an exception: ", 0
no_table: dw 0
          dq 0
user_end:
