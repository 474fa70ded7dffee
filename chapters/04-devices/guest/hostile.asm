; hostile.asm: a guest that does one wrong thing, chosen by a letter on its serial port.
;
; Who survives says "alive". The tests know which letters should not (kvm_hostile.c).

%include "machine.inc"

RAM_END equ 16 << 20
HOLE    equ 0xd0000000
CR0_PG  equ 1 << 31
CR4_OSFXSR equ 1 << 9
EFLAGS_TF  equ 0x100

start:  handler 6, invalid              ; #UD
        handler 13, protection          ; #GP
        call    get_char
        mov     esi, wishes
.next:  cmp     byte [esi], 0
        je      unknown
        cmp     al, [esi]
        je      .found
        add     esi, 5
        jmp     .next
.found: call    [esi + 1]
alive:  print   "alive", 10
        halt
unknown:
        print   "unknown letter", 10
        halt

wishes:
%macro wish 2
        db      %1
        dd      %2
%endmacro
        wish    'h', hlt_forever
        wish    'i', strings
        wish    '9', reset_cf9
        wish    'f', reset_92
        wish    'k', reset_keyboard
        wish    's', wide
        wish    'e', edge
        wish    'j', jump
        wish    'c', paging_without_protection
        wish    'p', cpuid_all
        wish    'v', hypercalls
        wish    't', steps
        wish    'n', nested
        wish    '3', triple
        db      0

; PIO24: nothing wakes it any more.
hlt_forever:
        halt

; PIO04: 65,535 bytes upwards, and downwards.
strings:
        mov     dx, COM1 + LSR
        mov     edi, 0x100000
        mov     ecx, 65535
        rep     insb
        mov     edi, 0x1fffff
        mov     ecx, 65535
        std
        rep     insb
        cld
        test    ecx, ecx
        jnz     unknown
        cmp     byte [0x1fffff], 0
        je      unknown
        ret

; PIO06, PIO07.
reset_cf9:
        outb    0xcf9, 0x02
        outb    0xcf9, 0x06
        ret
reset_92:
        outb    0x92, 0x01
        ret
reset_keyboard:
        outb    0x64, 0xfe
        ret

; PIO15: 16 bytes at once to where nobody is. It reads as all ones, if it is carried out.
wide:   mov     eax, cr4
        or      eax, CR4_OSFXSR
        mov     cr4, eax
        movups  xmm0, [HOLE]
        movups  [HOLE], xmm0
        movups  [0x100000], xmm0
        cmp     dword [0x100000], -1
        jne     unknown
        cmp     dword [0x10000c], -1
        jne     unknown
        ret

; PIO17: half in RAM, half behind it.
edge:   mov     word [RAM_END - 2], 0x1234
        mov     dword [RAM_END - 2], 0xaaaa5678
        mov     eax, [RAM_END - 2]
        cmp     eax, 0xffff5678
        jne     unknown
        mov     eax, [RAM_END - 1]
        cmp     eax, 0xffffff56
        jne     unknown
        ret

; PIO20: instructions from a place without memory.
jump:   mov     eax, HOLE
        jmp     eax

; PIO22: the processor refuses it, or KVM says what it cannot do.
paging_without_protection:
        mov     eax, cr0
        and     eax, ~1
        or      eax, CR0_PG
        mov     cr0, eax
        ret

; PIO28: each leaf of the three ranges, with the lowest subleaves.
cpuid_all:
        mov     edi, 0
        call    .range
        mov     edi, 0x40000000
        call    .range
        mov     edi, 0x80000000
        call    .range
        mov     eax, -1
        cpuid
        ret
.range: lea     ebp, [edi + 0x100]
.leaf:  xor     esi, esi
.sub:   mov     eax, edi
        mov     ecx, esi
        cpuid
        inc     esi
        cmp     esi, 8
        jb      .sub
        inc     edi
        cmp     edi, ebp
        jb      .leaf
        ret

; PIO29: hypercalls that there are not. -ENOSYS is -1000 to KVM.
hypercalls:
        mov     esi, 100
.next:  lea     eax, [esi + 1000]
        vmcall
        cmp     eax, -1000
        jne     unknown
        dec     esi
        jnz     .next
        ret

; PIO37: a debug exception after each of eight instructions, four of which exit.
steps:  handler 1, stepped
        pushfd
        or      dword [esp], EFLAGS_TF
        mov     dx, 0x80
        popfd
        out     dx, al                  ; one
        in      al, dx                  ; two
        mov     eax, [HOLE]             ; three
        mov     [HOLE], eax             ; four
        nop                             ; five
        pushfd                          ; six
        and     dword [esp], ~EFLAGS_TF ; seven
        popfd                           ; eight: TF was set when it began
        print_hex [step_count]
        print   " steps", 10
        ret
stepped:
        inc     dword [step_count]
        iretd
step_count: dd 0

; PIO46: no virtual machines in here.
nested: mov     dword [ud_return], .amd
        db      0xf3, 0x0f, 0xc7, 0x35  ; VMXON [0x100000]
        dd      0x100000
        jmp     unknown
.amd:   mov     dword [ud_return], alive
        xor     eax, eax
        db      0x0f, 0x01, 0xd8        ; VMRUN
        jmp     unknown

; Nowhere to go on: the processor gives up.
triple: lidt    [no_idt]
        ud2
no_idt: dw      0
        dd      0

ud_return: dd   0
invalid:
        cmp     dword [ud_return], 0
        je      .end
        mov     esp, 0xf000 - 4
        jmp     [ud_return]
.end:   print   "#UD", 10
        halt
protection:
        print   "#GP", 10
        halt
