; probe.asm: can this host run guest *kernel* code, or only pretend to?
;
; The doctor's guest. It walks from real mode to 64-bit ring 0, runs a short loop
; there, and executes LOCK CMPXCHG16B, an instruction that Linux's allocator uses
; from its first milliseconds. After each step it writes the step's number to port
; 0x80, where PCs show how far their BIOS got. The doctor notes the time of each.
; How the mode switches work is the subject of chapter 2.
;
;   0x1000  this file        0x2000  PML4    0x3000  PDPT    0x4000  page directory

[bits 16]
[org 0x1000]

STEP_PORT       equ 0x80
STEP_REAL       equ 1
STEP_LONG       equ 2
STEP_LOOP       equ 3
STEP_CMPXCHG16B equ 4
LOOPS           equ 200000              ; two instructions each

CR0_PE   equ 1 << 0
CR0_PG   equ 1 << 31
CR4_PAE  equ 1 << 5
EFER     equ 0xc0000080
EFER_LME equ 1 << 8
PTE_P_W  equ 0x03                       ; present, writable
PTE_PS   equ 0x80                       ; a 2 MiB page

        mov     al, STEP_REAL
        out     STEP_PORT, al

        ; One 2 MiB page that maps address 0 to itself.
        mov     dword [0x2000], 0x3000 | PTE_P_W
        mov     dword [0x3000], 0x4000 | PTE_P_W
        mov     dword [0x4000], PTE_PS | PTE_P_W
        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, 0x2000
        mov     cr3, eax
        mov     ecx, EFER
        mov     eax, EFER_LME
        xor     edx, edx
        wrmsr
        lgdt    [gdt_register]
        mov     eax, cr0
        or      eax, CR0_PG | CR0_PE
        mov     cr0, eax
        jmp     8:long_mode

[bits 64]
long_mode:
        mov     al, STEP_LONG
        out     STEP_PORT, al

        mov     ecx, LOOPS
.loop:  dec     ecx
        jnz     .loop
        mov     al, STEP_LOOP
        out     STEP_PORT, al

        lock cmpxchg16b [rel pair]
        mov     al, STEP_CMPXCHG16B
        out     STEP_PORT, al
        hlt

align 16
pair:   dq 0, 0
gdt:    dq 0
        dq 0x00209a0000000000           ; code, present, ring 0, 64-bit
gdt_register:
        dw gdt_register - gdt - 1
        dd gdt
