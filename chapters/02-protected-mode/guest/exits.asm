; exits.asm: VM exits, one after the other, for the clock of cost.c.
;
; The host sets RBX: 0 for exits that reach our program (OUT), 1 for exits that KVM
; answers itself (CPUID). Ten CPUIDs come between two OUTs, so that one clock does both.

[bits 64]
[org 0x1000]

CLOCK_PORT equ 0x80

; [loop]
        test    ebx, ebx
        jnz     .inside
.out:   out     CLOCK_PORT, al
        jmp     .out

.inside:
        mov     edi, 10
.next:  xor     eax, eax
        cpuid
        dec     edi
        jnz     .next
        out     CLOCK_PORT, al
        jmp     .inside
; [/loop]
