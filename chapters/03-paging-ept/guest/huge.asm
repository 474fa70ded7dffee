; huge.asm: one entry for 2 MiB, and what it takes to split it.
;
; One entry of the page directory maps 2 MiB at linear 1 GiB. Then the guest wants
; one of its 512 pages elsewhere, so it must replace the entry by a table of 512.
; The processor keeps its own notes in the entries: accessed, dirty.
;
; expect: one 2 MiB page: the entry is 0x400083, after a read 0x4000a3, after a write 0x4000e3
; expect: split: page 7 moved, it reads 7777; page 8 still reads 8

%include "kernel.inc"

HUGE equ 0x400000
PT   equ TABLES + 0x1000

main:   mov     qword [PDPT + 8], TABLES | P | W
        ; Each 4 KiB of the frame begins with its number.
        xor     ecx, ecx
        mov     edi, HUGE
.fill:  mov     [rdi], rcx
        add     edi, 0x1000
        inc     ecx
        cmp     ecx, 512
        jb      .fill

        mov     qword [TABLES], HUGE | PS | P | W
        say     "one 2 MiB page: the entry is "
        say_hex [TABLES]
        mov     esi, WINDOW
        mov     rax, [rsi]
        say     ", after a read "
        say_hex [TABLES]
        mov     edi, WINDOW
        mov     [rdi], rax
        say     ", after a write "
        say_hex [TABLES]
        say     `\n`

        xor     ecx, ecx
        mov     eax, HUGE | P | W
.split: mov     [PT + rcx * 8], rax
        add     rax, 0x1000
        inc     ecx
        cmp     ecx, 512
        jb      .split
        mov     qword [FRAMES], 7777
        mov     qword [PT + 7 * 8], FRAMES | P | W
        mov     qword [TABLES], PT | P | W
        mov     rax, cr3                ; forget the big page, wherever it is noted
        mov     cr3, rax
        say     "split: page 7 moved, it reads "
        mov     esi, WINDOW + 0x7000
        mov     rax, [rsi]
        call    print_number
        say     "; page 8 still reads "
        mov     esi, WINDOW + 0x8000
        mov     rax, [rsi]
        call    print_number
        say     `\n`
        hlt
