; echo.asm: a serial port driven by its interrupt. What comes in goes out in capitals.
;
; The handler does what every driver of a 16550 does: it asks IIR why, does that, and
; asks again until the answer is "nothing". Between two bytes the processor sleeps.
;
; input: hello, uart\nbye\n.
; expect: FIFOs on
; expect: HELLO, UART
; expect: BYE
; expect: done

%include "machine.inc"

IER       equ 1
IIR       equ 2
FCR       equ 2
LCR       equ 3
MCR       equ 4

; The 8259 first: its initialization forgets edges, and a byte may come as soon as the
; port is open. An edge forgotten is a line that stays high and never rises again.
start:  call    pic_init
        handler IRQ_BASE + 4, serial_interrupt
        unmask  4
        call    serial_init
        mov     edx, COM1 + IIR
        in      al, dx
        and     al, 0xc0                ; both set: a 16550A with its FIFOs enabled
        cmp     al, 0xc0
        jne     .sleep
        print   "FIFOs on", 10
.sleep: sti
        hlt
        cli
        cmp     byte [finished], 0
        je      .sleep
        print   "done", 10
        halt

; [init]
; 115,200 baud, 8 data bits, no parity, 1 stop bit: the divisor hides behind DLAB.
serial_init:
        outb    COM1 + LCR, 0x80        ; DLAB: registers 0 and 1 are the divisor's bytes
        outb    COM1 + 0, 1             ; its low byte: 1.8432 MHz / 16 / 1
        outb    COM1 + 1, 0             ; its high byte
        outb    COM1 + LCR, 0x03        ; 8N1, and DLAB off
        outb    COM1 + FCR, 0x07        ; FIFOs on and empty, trigger at one byte
        outb    COM1 + MCR, 0x0b        ; DTR, RTS, and OUT2: the wire to the 8259
        outb    COM1 + IER, 0x01        ; interrupt when a byte has come
        ret
; [/init]

serial_interrupt:
        pushad
.again: mov     edx, COM1 + IIR
        in      al, dx
        test    al, 0x01                ; no interrupt pending (any more)
        jnz     .done
        call    get_char
        call    serial_byte
        jmp     .again
.done:  eoi     4
        popad
        interrupt_return

serial_byte:
        cmp     al, '.'
        je      .end
        cmp     al, 'a'
        jb      .out
        cmp     al, 'z'
        ja      .out
        sub     al, 'a' - 'A'
.out:   jmp     put_char
.end:   mov     byte [finished], 1
        ret

finished: db    0
