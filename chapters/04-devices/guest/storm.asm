; storm.asm: a line that never falls, and a timer that gets through.
;
; The serial port's line is made level-triggered, and its handler does everything but
; look after the port. So each end of the interrupt is the beginning of the next, and
; the program below never gets to its next instruction. Line 0 ranks higher: the timer
; still ticks. After ten ticks its handler masks the line, and the storm is over.
;
; expect: The timer got through 10 times.
; expect: Then the program went on.

%include "machine.inc"

TICKS     equ 10
PIT_COUNT equ 11932             ; 10 ms
ELCR      equ 0x4d0
IER       equ COM1 + 1
MCR       equ COM1 + 4

serial: push    eax
        inc     dword [storms]
        eoi     4
        pop     eax
        iret

tick:   push    eax
        inc     dword [ticks]
        cmp     dword [ticks], TICKS
        jb      .end
        mov     al, 0xff                ; nothing any more, the timer included
        out     PIC_1 + 1, al
.end:   eoi     0
        pop     eax
        iret

start:  call    pic_init
        handler IRQ_BASE, tick
        handler IRQ_BASE + 4, serial
        outb    ELCR, 1 << 4
        outb    MCR, 0x08               ; OUT2 connects the line ...
        outb    IER, 0x02               ; ... and an empty transmitter makes it high
        outb    0x43, 0x34
        outb    0x40, PIT_COUNT & 0xff
        outb    0x40, PIT_COUNT >> 8
        unmask  0
        unmask  4
        sti
.wait:  cmp     dword [ticks], TICKS
        jb      .wait
        cli
        outb    IER, 0x00
        cmp     dword [storms], 10      ; software KVM delivers one a millisecond
        jb      .calm
        print   "The timer got through 10 times.", 10
        print   "Then the program went on.", 10
        halt
.calm:  print   "That was no storm: 0x"
        print_hex [storms]
        print   " interrupts.", 10
        halt

align 4
ticks:  dd 0
storms: dd 0
