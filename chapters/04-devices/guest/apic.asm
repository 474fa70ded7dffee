; apic.asm: the controllers that came after the 8259: a local APIC in the processor, and
; an I/O APIC that sends it the lines as messages. Only KVM's chips have them.
; [SDM3, 10 "Advanced Programmable Interrupt Controller (APIC)"; IOAPIC, 3.0 "Registers"]
;
; expect: An interrupt to myself.
; expect: The APIC's timer, once.
; expect: The APIC's timer, 10 times.
; expect: Line 8 by the I/O APIC, 16 times.
; expect: Line 0, the old timer, by input 2.
; expect: A non-maskable interrupt.
; expect: 1000 interrupts to myself.

%include "machine.inc"

APIC          equ 0xfee00000
APIC_ID       equ APIC + 0x020
APIC_EOI      equ APIC + 0x0b0
APIC_SVR      equ APIC + 0x0f0
APIC_ICR_LOW  equ APIC + 0x300
APIC_ICR_HIGH equ APIC + 0x310
APIC_LVT_TIMER equ APIC + 0x320
APIC_COUNT    equ APIC + 0x380
APIC_DIVIDE   equ APIC + 0x3e0
ICR_NMI       equ 4 << 8
ICR_SELF      equ 1 << 18
LVT_MASKED    equ 1 << 16
LVT_PERIODIC  equ 1 << 17

IOAPIC_INDEX  equ 0xfec00000
IOAPIC_DATA   equ 0xfec00010
IOAPIC_ENTRY  equ 0x10          ; entry n: registers 0x10 + 2n and 0x11 + 2n

SELF          equ 0x40          ; our vectors
TIMER         equ 0x41
LINE_8        equ 0x42
LINE_0        equ 0x43

RTC_B equ 0x0b
RTC_C equ 0x0c
B_24  equ 0x02
B_PIE equ 0x40

to_self:
        inc     dword [selves]
        mov     dword [APIC_EOI], 0
        iret

timer:  inc     dword [timers]
        mov     dword [APIC_EOI], 0
        iret

line_8: push    eax
        inc     dword [lines]
        outb    0x70, RTC_C
        in      al, 0x71
        mov     dword [APIC_EOI], 0
        pop     eax
        iret

line_0: inc     dword [ticks]
        mov     dword [APIC_EOI], 0
        iret

nmi:    inc     dword [nmis]            ; no EOI: it did not come through the queue
        iret

%macro wait_for 2
        sti
%%more: cmp     dword [%1], %2
        jb      %%more
        cli
%endmacro

%macro ioapic 2                 ; ioapic REGISTER, VALUE
        mov     dword [IOAPIC_INDEX], %1
        mov     dword [IOAPIC_DATA], %2
%endmacro

start:  call    pic_init                ; and all of its lines stay masked
        handler 2, nmi
        handler SELF, to_self
        handler TIMER, timer
        handler LINE_8, line_8
        handler LINE_0, line_0
        mov     dword [APIC_SVR], 0x1ff ; enabled; spurious interrupts have vector 0xff

        mov     dword [APIC_ICR_LOW], ICR_SELF | SELF
        wait_for selves, 1
        print   "An interrupt to myself.", 10

        mov     dword [APIC_DIVIDE], 0x0b ; by 1
        mov     dword [APIC_LVT_TIMER], TIMER
        mov     dword [APIC_COUNT], 1000000
        wait_for timers, 1
        print   "The APIC's timer, once.", 10

        mov     dword [timers], 0
        mov     dword [APIC_LVT_TIMER], LVT_PERIODIC | TIMER
        mov     dword [APIC_COUNT], 1000000
        wait_for timers, 10
        mov     dword [APIC_COUNT], 0
        mov     dword [APIC_LVT_TIMER], LVT_MASKED
        print   "The APIC's timer, 10 times.", 10

        mov     eax, [APIC_ID]          ; our own number, in bits 31 to 24 ...
        and     eax, 0xff000000
        ioapic  IOAPIC_ENTRY + 2 * 8 + 1, eax ; ... is where line 8 shall go
        ioapic  IOAPIC_ENTRY + 2 * 8, LINE_8  ; edge, active high, fixed, not masked
        outb    0x70, RTC_C             ; let the line fall, if it is high
        in      al, 0x71
        outb    0x70, RTC_B
        outb    0x71, B_24 | B_PIE
        wait_for lines, 16
        outb    0x70, RTC_B
        outb    0x71, B_24
        print   "Line 8 by the I/O APIC, 16 times.", 10

        mov     eax, [APIC_ID]          ; a PC has the 8254 at 2, not at 0
        and     eax, 0xff000000
        ioapic  IOAPIC_ENTRY + 2 * 2 + 1, eax
        ioapic  IOAPIC_ENTRY + 2 * 2, LINE_0
        outb    0x43, 0x34              ; counter 0, both bytes, mode 2
        outb    0x40, 11932 & 0xff
        outb    0x40, 11932 >> 8
        wait_for ticks, 3
        ioapic  IOAPIC_ENTRY + 2 * 2, LVT_MASKED
        print   "Line 0, the old timer, by input 2.", 10

        mov     eax, [APIC_ID]
        mov     [APIC_ICR_HIGH], eax    ; "self" does not go with NMI: by number
        mov     dword [APIC_ICR_LOW], ICR_NMI
.nmi:   cmp     dword [nmis], 1         ; interrupts are off
        jb      .nmi
        print   "A non-maskable interrupt.", 10

        mov     dword [selves], 0
        mov     ecx, 1000
.storm: mov     eax, [selves]
        mov     dword [APIC_ICR_LOW], ICR_SELF | SELF
        sti
.taken: cmp     eax, [selves]           ; the next one only when this one is taken:
        je      .taken                  ; two that wait are one
        cli
        loop    .storm
        cmp     dword [selves], 1000
        jne     .lost
        print   "1000 interrupts to myself.", 10
        halt
.lost:  print   "Interrupts got lost.", 10
        halt

align 4
selves: dd 0
timers: dd 0
lines:  dd 0
ticks:  dd 0
nmis:   dd 0
