; refused.asm: what even ring 0 is refused, and survives.
;
; The processor guards its own state: what cannot be is not done, and #GP says so.
;
; expect: ud2: #UD, error code 0x0, in ring 0
; expect: read a non-canonical address: #GP, error code 0x0, in ring 0
; expect: jump to a non-canonical address: #GP, error code 0x0, in ring 0
; expect: write where nothing is mapped: #PF, error code 0x2, address 0xdead000, in ring 0
; expect: clear CR0.PE with paging on: #GP, error code 0x0, in ring 0
; expect: clear CR4.PAE in long mode: #GP, error code 0x0, in ring 0
; expect: set a reserved bit of EFER: #GP, error code 0x0, in ring 0
; expect: load a selector past the GDT: #GP, error code 0xfff8, in ring 0
; expect: The kernel is still here.

%include "kernel.inc"

kernel_main:
        try     "ud2", ud2
        mov     rbx, 0x800000000000
        try     "read a non-canonical address", mov al, [rbx]
        try     "jump to a non-canonical address", jmp rbx
        try     "write where nothing is mapped", mov [0xdead000], al
        mov     rbx, cr0
        btr     ebx, 0
        try     "clear CR0.PE with paging on", mov cr0, rbx
        mov     rbx, cr4
        btr     ebx, 5
        try     "clear CR4.PAE in long mode", mov cr4, rbx
        mov     ecx, EFER
        rdmsr
        bts     eax, 9
        try     "set a reserved bit of EFER", wrmsr
        mov     ebx, 0xfff8
        try     "load a selector past the GDT", mov ds, ebx
        lea     rsi, [still_here]
        call    print
        hlt

program_ended: hlt
still_here: db "The kernel is still here.", 10, 0
user:
user_end:
