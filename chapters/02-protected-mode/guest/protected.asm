; protected.asm: from real mode to 32-bit protected mode, by the book.
;
; [SDM3, 9.9.1 "Switching to Protected Mode"] gives the order: interrupts off, a GDT,
; CR0.PE, a far jump that loads CS, then the other segment registers.
;
; args: --mode protected --entry guest
; expect: Real mode: 16 bits, no protection.
; expect: Protected mode: 32 bits, and every segment has a limit and a ring.

[bits 16]
[org 0x1000]
%include "text.inc"

        mov     si, real
        call    print16

; [climb]
        cli                             ; no handler here understands protected mode
        lgdt    [gdt_register]
        mov     eax, cr0
        or      eax, CR0_PE
        mov     cr0, eax                ; protected, but CS still is what it was
        jmp     dword CODE:protected    ; now CS is loaded from the GDT

[bits 32]
protected:
        mov     ax, DATA_SEL
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, 0xf000
; [/climb]
        mov     esi, flat
        call    print32
        hlt

print32:
        lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     print32
.end:   ret

[bits 16]
print16:
        lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     print16
.end:   ret

real:   db "Real mode: 16 bits, no protection.", 10, 0
flat:   db "Protected mode: 32 bits, and every segment has a limit and a ring.", 10, 0

; [gdt]
align 8
gdt:    dq 0                            ; selector 0 means "no segment"
CODE     equ $ - gdt
        dq CODE32(0)
DATA_SEL equ $ - gdt
        dq DATA(0)
gdt_register:
        dw gdt_register - gdt - 1       ; limit: the last byte that counts
        dd gdt                          ; base
; [/gdt]
