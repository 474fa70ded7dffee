; hostile.asm: a guest that does one wrong thing, chosen by a letter on its serial port.
;
; Who survives says "alive". The tests know which letters should not (kvm_hostile.c).

%include "machine.inc"

RAM_END equ 16 << 20
HOLE    equ 0xd0000000
ROM     equ 0xfffff000
APIC    equ 0xfee00000
IA32_APIC_BASE equ 0x1b
APIC_BASE_ENABLE equ 1 << 11
CPUID_1_EDX_APIC equ 1 << 9
CPUID_1_EDX_PSN  equ 1 << 18
CPUID_1_ECX_XSAVE equ 1 << 26
CPUID_1_ECX_AVX  equ 1 << 28
CR4_OSXSAVE equ 1 << 18
XCR0_AVX    equ 7               ; x87, SSE and AVX state
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
        wish    'y', wider
        wish    'o', rom
        wish    'a', no_apic
        wish    'm', all_of_ram
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

; PIO15: 32 bytes, by an instruction that KVM's emulator need not know.
wider:  mov     eax, 1
        cpuid
        and     ecx, CPUID_1_ECX_AVX | CPUID_1_ECX_XSAVE
        cmp     ecx, CPUID_1_ECX_AVX | CPUID_1_ECX_XSAVE
        jne     .none
        mov     eax, cr4
        or      eax, CR4_OSFXSR | CR4_OSXSAVE
        mov     cr4, eax
        xor     ecx, ecx
        xor     edx, edx
        mov     eax, XCR0_AVX
        xsetbv
        vmovups ymm0, [HOLE]
        vmovups [HOLE], ymm0
        vmovups [0x100000], ymm0
        mov     ecx, 8
.next:  cmp     dword [0x100000 + ecx * 4 - 4], -1
        jne     unknown
        loop    .next
        ret
.none:  print   "no AVX", 10
        halt

; PIO19: every byte of the ROM is written, in several widths, and stays what it is.
rom:    mov     edi, ROM
        mov     eax, 0x12345678
        mov     ecx, 1024
        rep     stosd
        mov     byte [ROM], 0x90
        mov     word [ROM + 0xfff - 2], 0x9090
        lock inc dword [ROM + 0x100]
        xchg    eax, [ROM + 0x200]
        mov     edi, ROM
        mov     eax, 0xf4f4f4f4
        mov     ecx, 1024
        repe    scasd
        jne     unknown
        mov     dword [ROM - 2], 0      ; half of it in front
        cmp     dword [ROM], 0xf4f4f4f4
        jne     unknown
        ret

; PIO14: the local APIC's page while there is none, or while it is switched off.
no_apic:
        mov     eax, 1
        cpuid
        test    edx, CPUID_1_EDX_APIC
        jz      .off
        mov     ecx, IA32_APIC_BASE
        rdmsr
        and     eax, ~APIC_BASE_ENABLE
        wrmsr
.off:   mov     edi, APIC
.next:  mov     dword [edi], 0
        cmp     dword [edi], -1
        jne     unknown
        cmp     byte [edi + 1], -1
        jne     unknown
        add     edi, 16
        cmp     edi, APIC + 0x400
        jb      .next
        ret

; PIO43: a store to each page, as if the host had so many.
all_of_ram:
        mov     edi, 0x100000
.next:  mov     [edi], edi
        add     edi, 0x1000
        cmp     edi, RAM_END
        jb      .next
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

; PIO28: each leaf of the three ranges, with the subleaves around each power of two; the
; leaves of caches and of saved state with all 65,536. No processor has a serial number here.
cpuid_all:
        mov     edi, 0
        call    .range
        mov     edi, 0x40000000
        call    .range
        mov     edi, 0x80000000
        call    .range
        mov     edi, -1
        call    .edges
        mov     ebx, .lists
.list:  mov     edi, [ebx]
        cmp     edi, -1
        je      .serial
        add     ebx, 4
        push    ebx
        mov     esi, 0xffff
.sub:   call    .one
        dec     esi
        jns     .sub
        pop     ebx
        jmp     .list
.serial:
        mov     eax, 1
        cpuid
        test    edx, CPUID_1_EDX_PSN
        jnz     unknown
        mov     eax, 3
        cpuid
        or      ecx, edx
        jnz     unknown
        ret
.range: lea     ebp, [edi + 0x100]
.leaf:  call    .edges
        inc     edi
        cmp     edi, ebp
        jb      .leaf
        ret
.edges: xor     esi, esi
        call    .one
        mov     esi, 1
.power: call    .one
        dec     esi
        call    .one
        lea     esi, [esi * 2 + 2]
        test    esi, 0x1ffff
        jnz     .power
        mov     esi, -1
.one:   mov     eax, edi
        mov     ecx, esi
        cpuid
        ret
.lists: dd      4, 0x0d, -1

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
