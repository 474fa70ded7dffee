; chase.asm: follows a chain of pointers through memory, in ring 0, 64-bit.
;
; The VMM has built the page tables and the chain. RDI is the first link, RCX how
; many steps to make; HLT when they are made. Nothing else is measured.

bits 64
org 0x1000

.next:  mov     rdi, [rdi]
        dec     rcx
        jnz     .next
        hlt
