; nx.asm: data is not code.
;
; A page holds the bytes of a small function and the no-execute bit. Reading it is
; fine; calling it faults with error code 0x11 (present, instruction fetch). The
; handler is indulgent: it clears the bit, and the call succeeds.
;
; expect: read the function: its first byte is 0xb8
; expect: called it: #PF, error code 0x11, and after that it returned 42

%include "kernel.inc"

PT equ TABLES + 0x1000

main:   mov     eax, page_fault
        mov     ecx, 14
        call    set_gate
        mov     qword [PDPT + 8], TABLES | P | W
        mov     qword [TABLES], PT | P | W
        mov     rax, (1 << 63) | FRAMES | P | W
        mov     [PT], rax

        mov     edi, WINDOW
        mov     rax, 0xc30000002ab8     ; mov eax, 42; ret
        mov     [rdi], rax
        movzx   ebx, byte [rdi]
        say     "read the function: its first byte is "
        say_hex rbx
        say     `\n`

        mov     edi, WINDOW
        call    rdi
        mov     ebx, eax
        say     "called it: #PF, error code "
        say_hex [error]
        say     ", and after that it returned "
        say_number rbx
        say     `\n`
        hlt

page_fault:
        push    rax
        mov     rax, [rsp + 8]
        mov     [error], rax
        btr     qword [PT], 63
        mov     rax, cr2
        invlpg  [rax]
        pop     rax
        add     rsp, 8
        iretq

align 8
error:  dq 0
