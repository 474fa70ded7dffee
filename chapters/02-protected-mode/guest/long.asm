; long.asm: the whole climb, real mode to protected mode to 64-bit long mode.
;
; [SDM3, 9.8.5 "Initializing IA-32e Mode"]: from protected mode with paging off,
; CR4.PAE, then CR3, then EFER.LME, then CR0.PG. That makes long mode active, and the
; code that runs is still 32-bit: compatibility mode. A far jump to a code segment
; with L = 1 is the last step.
;
;   0x1000  this file        0x10000  PML4    0x11000  PDPT    0x12000  directory
;
; args: --mode long --entry guest
; expect: 64 bits: r15 is 0xfedcba9876543210.

[bits 16]
[org 0x1000]
%include "text.inc"

PML4      equ 0x10000
PDPT      equ 0x11000
DIRECTORY equ 0x12000
PTE_P_W   equ 0x03                      ; present, writable
PTE_PS    equ 0x80                      ; a 2 MiB page

        cli
        lgdt    [gdt_register]
        mov     eax, cr0
        or      eax, CR0_PE
        mov     cr0, eax
        jmp     dword CODE32_SEL:protected

[bits 32]
protected:
        mov     ax, DATA_SEL
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, 0xf000

; [climb]
        mov     dword [PML4], PDPT | PTE_P_W
        mov     dword [PDPT], DIRECTORY | PTE_P_W
        mov     dword [DIRECTORY], PTE_PS | PTE_P_W

        mov     eax, cr4
        or      eax, CR4_PAE            ; entries of eight bytes
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
        mov     ecx, EFER
        rdmsr
        or      eax, EFER_LME           ; long mode wanted ...
        wrmsr
        mov     eax, cr0
        or      eax, CR0_PG             ; ... and, with paging, active: EFER.LMA
        mov     cr0, eax
        jmp     CODE64_SEL:long_mode    ; out of compatibility mode

[bits 64]
long_mode:
; [/climb]
        mov     r15, 0xfedcba9876543210 ; sixteen registers of 64 bits
        lea     rsi, [rel hello]
        call    print
        mov     rbx, r15
        mov     ecx, 16
.digit: rol     rbx, 4
        mov     eax, ebx
        and     eax, 15
        lea     rsi, [rel digits]
        mov     al, [rsi + rax]
        out     TEXT_PORT, al
        loop    .digit
        lea     rsi, [rel end]
        call    print
        hlt

print:  lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     print
.end:   ret

hello:  db "64 bits: r15 is 0x", 0
end:    db ".", 10, 0
digits: db "0123456789abcdef"

align 8
gdt:    dq 0
CODE32_SEL equ $ - gdt
        dq CODE32(0)
DATA_SEL   equ $ - gdt
        dq DATA(0)
CODE64_SEL equ $ - gdt
        dq CODE64(0)
gdt_register:
        dw gdt_register - gdt - 1
        dd gdt
