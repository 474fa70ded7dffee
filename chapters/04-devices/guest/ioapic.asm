; ioapic.asm: an I/O APIC programmed by somebody who does not know how, and a level that
; is stuck high. KVM's chips only; what must survive is the host.
;
; expect: All registers, all widths.
; expect: 10 ticks beside a line that is stuck.
; expect: Still here.

%include "machine.inc"

APIC           equ 0xfee00000
APIC_EOI       equ APIC + 0x0b0
APIC_SVR       equ APIC + 0x0f0
APIC_LVT_TIMER equ APIC + 0x320
APIC_COUNT     equ APIC + 0x380
APIC_DIVIDE    equ APIC + 0x3e0
LVT_MASKED     equ 1 << 16
LVT_PERIODIC   equ 1 << 17
IOAPIC_INDEX   equ 0xfec00000
IOAPIC_DATA    equ 0xfec00010
MASKED         equ 1 << 16
LEVEL          equ 1 << 15
STUCK          equ 0x30         ; of lower priority than
TIMER          equ 0x41
TICKS          equ 10
IER            equ COM1 + 1
MCR            equ COM1 + 4

stuck:  inc     dword [storms]          ; does nothing for the port
        mov     dword [APIC_EOI], 0
        iret

tick:   inc     dword [ticks]
        cmp     dword [ticks], TICKS
        jb      .end
        mov     dword [IOAPIC_INDEX], 0x10 + 2 * 4
        mov     dword [IOAPIC_DATA], MASKED
        mov     dword [APIC_COUNT], 0
.end:   mov     dword [APIC_EOI], 0
        iret

; The next number of a fixed sequence into EAX. [Knuth's MMIX generator, its high half]
random: mov     eax, [seed]
        imul    eax, eax, 1664525
        add     eax, 1013904223
        mov     [seed], eax
        ret

start:  call    pic_init
        handler STUCK, stuck
        handler TIMER, tick
        mov     dword [APIC_SVR], 0x1ff

        xor     ecx, ecx                ; interrupts are off
.index: mov     [IOAPIC_INDEX], ecx
        mov     eax, [IOAPIC_DATA]
        mov     ax, [IOAPIC_DATA]
        mov     al, [IOAPIC_DATA]
        mov     eax, [IOAPIC_DATA + 1]
        mov     eax, [IOAPIC_INDEX + 0x20]
        call    random
        mov     [IOAPIC_DATA], al
        mov     [IOAPIC_DATA], ax
        mov     [IOAPIC_INDEX + 0x20], eax
        mov     [IOAPIC_INDEX], cl
        mov     [IOAPIC_DATA], eax
        inc     ecx
        cmp     ecx, 256
        jb      .index

        mov     ebx, 20000              ; every redirection entry, anything at all
.entry: call    random
        shr     eax, 8
        and     eax, 0x3f
        add     eax, 0x10
        mov     [IOAPIC_INDEX], eax
        call    random
        mov     [IOAPIC_DATA], eax
        dec     ebx
        jnz     .entry

        mov     ecx, 0x10               ; and orderly again
.mask:  mov     [IOAPIC_INDEX], ecx
        mov     dword [IOAPIC_DATA], MASKED
        inc     ecx
        mov     [IOAPIC_INDEX], ecx
        mov     dword [IOAPIC_DATA], 0
        inc     ecx
        cmp     ecx, 0x40
        jb      .mask
        print   "All registers, all widths.", 10

        mov     dword [IOAPIC_INDEX], 0x10 + 2 * 4
        mov     dword [IOAPIC_DATA], LEVEL | STUCK
        outb    MCR, 0x08
        outb    IER, 0x02               ; the serial port's line is high, and stays so
        mov     dword [APIC_DIVIDE], 0x0b
        mov     dword [APIC_LVT_TIMER], LVT_PERIODIC | TIMER
        mov     dword [APIC_COUNT], 10000000
        sti
.wait:  cmp     dword [ticks], TICKS
        jb      .wait
        cli
        outb    IER, 0x00
        cmp     dword [storms], 1
        jb      .calm
        print   "10 ticks beside a line that is stuck.", 10
        print   "Still here.", 10
        halt
.calm:  print   "The line was not stuck.", 10
        halt

align 4
ticks:  dd 0
storms: dd 0
seed:   dd 1
