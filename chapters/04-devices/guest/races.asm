; races.asm: what one processor does to the other. EAX says which part to play.
;
; The test loads this for two processors, and looks at them from outside. No part ends.
; Bounds: the parts share one page of RAM at SHARED and one register of a device.

%define SHARED   0x100000
%define DEVICE   0xd0000000
%define PORT     0x510
%define WINDOW   0x200000              ; 64-bit parts: a 2 MiB page that changes its frame
%define ENTRY    (0x12000 + 8)         ; ... by this entry of the page directory
%define P_W_PS   0x83
%define APIC     0xfee00000
%define EOI      (APIC + 0x0b0)
%define SVR      (APIC + 0x0f0)
%define ICR_LOW  (APIC + 0x300)
%define ICR_SELF 0x40000
%define VECTOR   0x40
%define STACK    0xf000

bits 32
org 0x1000
        jmp     [parts + eax * 4]

align 4
parts:  dd      counts, exits, stores, patches, 0, storms

; Part 0 counts in RAM and never stops for anybody.
counts: inc     dword [SHARED]
        jmp     counts

; Part 1 makes an exit of every turn.
exits:  mov     dx, PORT
.next:  out     dx, eax
        inc     eax
        jmp     .next

; Part 2 stores to the device, by an instruction that part 3 changes.
stores: mov     ebx, 0x11111111
        mov     ecx, 0x22222222
.next:  inc     dword [SHARED]
patched:
        mov     [DEVICE], ebx
        jmp     stores.next

; Part 3 makes it store EBX or ECX, to the device or to RAM, in any mixture.
patches:
        inc     dword [SHARED + 4]
        xor     byte [patched + 1], 0x10          ; the register: 0x1d or 0x0d
        test    dword [SHARED + 4], 3
        jnz     patches
        xor     byte [patched + 5], 0xd0          ; the address: 0xd0000000 or 0
        jmp     patches

; Part 5 interrupts itself all the time. Its handler does not return, it starts again.
storms: lidt    [idt]
        mov     dword [SVR], 0x1ff                ; the local APIC is on
.next:  mov     dword [ICR_LOW], ICR_SELF | VECTOR
        sti
.wait:  jmp     .wait
taken:  inc     dword [SHARED + 4]
        mov     dword [EOI], 0
        mov     esp, STACK
        jmp     storms.next

gate:   dw      0x1000 + taken - $$, 0x08, 0x8e00, 0 ; an interrupt gate into CODE32
idt:    dw      VECTOR * 8 + 7
        dd      gate - VECTOR * 8

; The 64-bit parts; the test knows their places.
bits 64
default abs                             ; an address is a number, not a distance from RIP
times 0x100 - ($ - $$) db 0x90
long_stores:
        mov     edi, WINDOW
        mov     ebx, 0x33333333
.next:  invlpg  [rdi]
        mov     [rdi], ebx
        inc     dword [SHARED]
        jmp     .next

times 0x140 - ($ - $$) db 0x90
long_maps:
        mov     edi, ENTRY
        mov     eax, DEVICE | P_W_PS
        mov     ebx, 0x00400000 | P_W_PS          ; RAM that is there, and a frame ...
.next:  mov     [rdi], rax
        inc     dword [SHARED + 4]
        mov     [rdi], rbx
        jmp     .next
