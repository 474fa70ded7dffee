; leaves.asm: asks for every CPUID leaf there may be; none may harm or tell too much.
;
; expect: walked 3585 leaves
; expect: the serial number is 0
; expect: the vmx and svm bits are 0

%include "kernel.inc"

kernel_main:
        xor     r8d, r8d                ; how many
        xor     r9d, r9d                ; the leaf
        mov     r10d, 0x100
        call    walk
        mov     r9d, 0x40000000
        mov     r10d, 0x200
        call    walk
        mov     r9d, 0x80000000
        mov     r10d, 0x80
        call    walk
        mov     eax, 0xffffffff
        xor     ecx, ecx
        cpuid
        inc     r8d
        lea     rsi, [walked]
        call    print
        mov     eax, r8d
        mov     ebx, 10
        xor     ecx, ecx
.digit: xor     edx, edx
        div     ebx
        push    rdx
        inc     ecx
        test    eax, eax
        jnz     .digit
.out:   pop     rax
        add     al, '0'
        out     TEXT_PORT, al
        loop    .out
        lea     rsi, [leaves]
        call    print

        mov     eax, 3
        cpuid
        or      ecx, edx
        or      ecx, eax
        or      ecx, ebx
        jnz     .odd
        lea     rsi, [serial]
        call    print
        mov     eax, 1
        cpuid
        bt      ecx, 5
        jc      .odd
        mov     eax, 0x80000001
        cpuid
        bt      ecx, 2
        jc      .odd
        lea     rsi, [nested]
        call    print
.odd:   hlt

; Four subleaves of R10D leaves from R9D on, and CPUID must leave the rest alone.
walk:   xor     r11d, r11d
.next:  mov     eax, r9d
        mov     ecx, r11d
        cpuid
        inc     r8d
        inc     r11d
        cmp     r11d, 4
        jb      .next
        inc     r9d
        dec     r10d
        jnz     walk
        ret

program_ended: hlt

walked: db "walked ", 0
leaves: db " leaves", 10, 0
serial: db "the serial number is 0", 10, 0
nested: db "the vmx and svm bits are 0", 10, 0
user:
user_end:
