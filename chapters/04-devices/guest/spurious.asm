; spurious.asm: interrupts that nobody stands behind, and how a handler tells.
;
; A request can go between the moment the processor hears of it and the moment it asks
; whose it is. The 8259 must answer something, and says 7. No ISR bit is set then: there
; is nothing to serve and nothing to end. From the slave comes 15, and the master, which
; believes in it, does want its EOI.
;
; expect: A request was withdrawn, and nobody served it.
; expect: The next one was served.
; expect: A 7 that nobody sent is no interrupt.

%include "machine.inc"

OCW3_IRR equ 0x0a               ; the next reads give IRR ...
OCW3_ISR equ 0x0b               ; ... or ISR
RTC_B    equ 0x0b
RTC_C    equ 0x0c
RTC_PIE  equ 0x40
LINE_7   equ 0x80               ; the bit of input 7 in either chip

rtc_beat:
        push    eax
        inc     dword [served]
        outb    0x70, RTC_C             ; reading it makes the line low
        in      al, 0x71
        eoi     8
        pop     eax
        iret

; [handlers]
line_15:
        push    eax
        outb    PIC_2, OCW3_ISR
        in      al, PIC_2
        test    al, LINE_7
        jnz     .real
        inc     dword [spurious]
        outb    PIC_1, PIC_EOI          ; for the master has served its input 2
        pop     eax
        iret
.real:  eoi     15
        pop     eax
        iret

line_7: push    eax
        outb    PIC_1, OCW3_ISR
        in      al, PIC_1
        test    al, LINE_7
        jnz     .real
        inc     dword [spurious]        ; and no EOI: it would end somebody else's
        pop     eax
        iret
; [/handlers]
.real:  inc     dword [served]
        eoi     7
        pop     eax
        iret

start:  call    pic_init
        handler IRQ_BASE + 7, line_7
        handler IRQ_BASE + 8, rtc_beat
        handler IRQ_BASE + 15, line_15
        unmask  8
        unmask  15

        outb    0x70, RTC_B             ; 1024 beats a second, from now on
        in      al, 0x71
        or      al, RTC_PIE
        out     0x71, al
.asks:  outb    PIC_2, OCW3_IRR         ; interrupts are off: wait until it asks ...
        in      al, PIC_2
        test    al, 1
        jz      .asks
        in      al, PIC_2 + 1
        or      al, 1
        out     PIC_2 + 1, al           ; ... and turn it away
        sti
        mov     ecx, 50000              ; time enough for whatever may come
        loop    $
        cli
        cmp     dword [served], 0
        jne     .wrong
        print   "A request was withdrawn, and nobody served it.", 10

        unmask  8
.wait:  sti
        hlt
        cli
        cmp     dword [served], 0
        je      .wait
        print   "The next one was served.", 10

        mov     dword [served], 0
        mov     dword [spurious], 0
        outb    0x70, RTC_B             ; no more beats
        in      al, 0x71
        and     al, ~RTC_PIE & 0xff
        out     0x71, al
        pushfd                          ; what the processor does on a spurious one
        push    cs
        call    line_7
        cmp     dword [spurious], 1
        jne     .wrong
        cmp     dword [served], 0
        jne     .wrong
        print   "A 7 that nobody sent is no interrupt.", 10
        halt
.wrong: print   "A handler was fooled.", 10
        halt

align 4
served:   dd 0
spurious: dd 0
