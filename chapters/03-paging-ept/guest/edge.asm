; edge.asm: addresses at the edge, and what becomes of them.
;
; A reader of specifications may ask each of these; the guest tries them.
;
; expect: not canonical: #GP, error code 0
; expect: reserved bit: #PF, bit 3 of the error code is 1
; expect: the last 4 bytes of RAM and 4 beyond: 0xffffffff11223344
; expect: a page in a hole reads as 0xffffffffffffffff
; expect: a write to ROM is lost: "read only memory"
; expect: written through the alias, read in RAM: 4711

%include "kernel.inc"

PT      equ TABLES + 0x1000
HOLE    equ 0x70000000
ROM     equ 0x50000000
ALIAS   equ 0x40000000                  ; of RAM from 1 MiB on
RAM_END equ 0x1000000

main:   mov     eax, fault
        mov     ecx, 13
        call    set_gate
        mov     eax, fault
        mov     ecx, 14
        call    set_gate
        mov     qword [PDPT + 8], TABLES | P | W
        mov     qword [TABLES], PT | P | W
        mov     qword [TABLES + 8], 0x402000 | PS | P | W ; 2 MiB pages start at 2 MiB
        mov     qword [PT], HOLE | P | W
        mov     qword [PT + 8], ROM | P | W
        mov     qword [PT + 16], ALIAS | P | W
        mov     qword [PT + 24], RAM_END - 0x1000 | P | W
        mov     qword [PT + 32], RAM_END | P | W

        mov     rdi, 0x800000000000     ; bit 47 set, bits 63 to 48 not
        call    try
        say     "not canonical: #GP, error code "
        say_number [error]
        mov     edi, WINDOW + 0x200000
        call    try
        mov     rbx, [error]            ; 9; QEMU's emulator forgets bit 0
        shr     ebx, 3
        say     `\nreserved bit: #PF, bit 3 of the error code is `
        say_number rbx

        mov     dword [RAM_END - 4], 0x11223344
        mov     esi, WINDOW + 0x4000 - 4
        mov     rbx, [rsi]
        say     `\nthe last 4 bytes of RAM and 4 beyond: `
        say_hex rbx
        mov     esi, WINDOW
        mov     rbx, [rsi]
        say     `\na page in a hole reads as `
        say_hex rbx
        mov     edi, WINDOW + 0x1000
        mov     byte [rdi], 'X'
        say     `\na write to ROM is lost: "`
        mov     esi, WINDOW + 0x1000
        call    print
        mov     edi, WINDOW + 0x2000
        mov     dword [rdi], 4711
        say     `"\nwritten through the alias, read in RAM: `
        mov     ebx, [0x100000]
        say_number rbx
        say     `\n`
        hlt

; Reads from RDI; [error] says how that failed.
try:    mov     rax, [rdi]
        ret

fault:  pop     rax
        mov     [error], rax
        add     qword [rsp], 3          ; over the MOV
        iretq

align 8
error:  dq 0
