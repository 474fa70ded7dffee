; poke.asm: a guest without a will. It reads and writes guest-physical addresses as
; the VMM asks, and so lets the host try out what memory slots do.
;
; Port 0xf0 gives 32 bits at a time: the command (0 halt, 1 read, 2 write), the low
; and high half of the address, the value; 32 bits are moved. What a read found goes
; out to the same port. Paging maps the first 4 GiB to themselves.

%include "kernel.inc"

COMMAND_PORT equ 0xf0

main:   mov     edi, TABLES             ; four page directories of 2 MiB pages
        mov     eax, PS | P | W
.entry: mov     [rdi], rax
        add     rax, 0x200000
        add     rdi, 8
        cmp     edi, TABLES + 4 * 0x1000
        jb      .entry
        mov     eax, TABLES | P | W
        mov     edi, PDPT
.table: mov     [rdi], rax
        add     rax, 0x1000
        add     rdi, 8
        cmp     edi, PDPT + 4 * 8
        jb      .table
        mov     rax, cr3
        mov     cr3, rax

.next:  in      eax, COMMAND_PORT
        mov     ebx, eax
        test    eax, eax
        jz      .halt
        in      eax, COMMAND_PORT
        mov     edi, eax
        in      eax, COMMAND_PORT
        shl     rax, 32
        or      rdi, rax
        in      eax, COMMAND_PORT
        cmp     ebx, 2
        je      .write
        mov     eax, [rdi]
        out     COMMAND_PORT, eax
        jmp     .next
.write: mov     [rdi], eax
        jmp     .next
.halt:  hlt
        jmp     .next
