; mmiojump.asm: an instruction fetch from where there is no memory.
;
; The page table maps the window to a hole. Reading there is an MMIO exit; but nobody
; can supply an instruction, so KVM gives up and the VMM reports it.
;
; status: 4
; expect: jumping into a hole
; expect-error: KVM_EXIT_INTERNAL_ERROR
; expect-error: rip=0x0000000040000000

%include "kernel.inc"

PT equ TABLES + 0x1000

main:   mov     qword [PDPT + 8], TABLES | P | W
        mov     qword [TABLES], PT | P | W
        mov     qword [PT], 0x70000000 | P | W
        say     `jumping into a hole\n`
        mov     eax, WINDOW
        jmp     rax
