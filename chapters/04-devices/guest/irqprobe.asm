; irqprobe.asm: reports every interrupt it gets, for tests that send some.
;
; It says "ready" by a write to port 0xe9 and sleeps. A handler writes the vector to
; port 0xea, ends the interrupt where it came from, and the round begins again. It is
; not for the program "devices": tests/04-devices/kvm_irqchip.c plays the VMM.

%include "machine.inc"

READY_PORT  equ 0xe9
VECTOR_PORT equ 0xea
APIC        equ 0xfee00000      ; [SDM3, 10.4.1 "The Local APIC Block Diagram"]
APIC_EOI    equ APIC + 0x0b0
APIC_SVR    equ APIC + 0x0f0

%macro report 1                 ; report VECTOR
        handler %1, %%routine
        jmp     %%after
%%routine:
        push    eax
        mov     al, %1
        out     VECTOR_PORT, al
    %if %1 >= IRQ_BASE && %1 < IRQ_BASE + 16
        eoi     %1 - IRQ_BASE
    %elif %1 >= 32
        mov     dword [APIC_EOI], 0
    %endif
        pop     eax
        iret
%%after:
%endmacro

start:  call    pic_init
        outb    PIC_1 + 1, 0x00         ; all lines let through
        outb    PIC_2 + 1, 0x00
        report  2
        report  0x20
        report  0x24
        report  0x25
        report  0x27
        report  0x2a
        report  0x2f
        report  0x40
        report  0x41
        mov     dword [APIC_SVR], 0x1ff ; enabled; spurious interrupts have vector 0xff

.round: mov     al, 1
        out     READY_PORT, al
        sti
        hlt
        cli
        jmp     .round
