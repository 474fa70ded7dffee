; loop.asm: a page table that contains itself.
;
; Entry 511 of the PML4 points at the PML4. Through it, tables appear as pages at the
; top of the address space: a walk that passes this entry once ends one level early,
; one that passes it four times ends at the PML4 itself. Kernels have used this trick
; to reach their own tables. A walk is still four reads long.
;
; expect: through one loop:   entry 0 of the page table of address 1 GiB is 0x600063
; expect: through four loops: entry 511 of the PML4 is 0x10023
; expect: and the page written through its own table reads 0x1234

%include "kernel.inc"

PT      equ TABLES + 0x1000
ONCE    equ 0xffffff8000000000 | WINDOW >> 9
FOUR    equ 0xfffffffffffff000 | 511 * 8

main:   mov     qword [PDPT + 8], TABLES | P | W
        mov     qword [TABLES], PT | P | W
        mov     qword [PML4 + 511 * 8], PML4 | P | W
        mov     qword [PT], 0x500000 | P | W
        ; Change the page table through the loop, then use the mapping it makes.
        mov     rdi, ONCE
        mov     rax, 0x600000 | P | W
        mov     [rdi], rax
        mov     edi, WINDOW
        mov     qword [rdi], 0x1234
        mov     rsi, ONCE
        mov     rbx, [rsi]
        say     "through one loop:   entry 0 of the page table of address 1 GiB is "
        say_hex rbx
        mov     rsi, FOUR
        mov     rbx, [rsi]
        and     ebx, ~D                 ; the processor may have marked it dirty
        say     `\nthrough four loops: entry 511 of the PML4 is `
        say_hex rbx
        say     `\nand the page written through its own table reads `
        mov     rbx, [0x600000]
        say_hex rbx
        say     `\n`
        hlt
