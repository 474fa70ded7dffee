; beats.asm: the three interrupts of the clock, at their slowest and at their fastest.
;
; All share line 8. Register C says which it was; reading it makes the line low again,
; and without that there is no next one.
;
; expect: 64 beats at 1024 Hz.
; expect: 256 beats at 8192 Hz.
; expect: The alarm rang.
; expect: A second has passed.

%include "machine.inc"

RTC_A   equ 0x0a
RTC_B   equ 0x0b
RTC_C   equ 0x0c
B_24    equ 0x02
B_UIE   equ 0x10
B_AIE   equ 0x20
B_PIE   equ 0x40
C_UF    equ 0x10
C_AF    equ 0x20
C_PF    equ 0x40

%macro cmos 2                   ; cmos INDEX, VALUE
        outb    0x70, %1
        outb    0x71, %2
%endmacro

; wait_for COUNTER, NUMBER: sleeps until the handler has counted so far.
%macro wait_for 2
        sti
%%more: hlt
        cmp     dword [%1], %2
        jb      %%more
        cli
%endmacro

beat:   push    eax
        outb    0x70, RTC_C
        in      al, 0x71
        test    al, C_PF
        jz      .alarm
        inc     dword [beats]
.alarm: test    al, C_AF
        jz      .update
        inc     dword [alarms]
.update:
        test    al, C_UF
        jz      .end
        inc     dword [updates]
.end:   eoi     8
        pop     eax
        iret

start:  call    pic_init
        handler IRQ_BASE + 8, beat
        unmask  8

        cmos    RTC_B, B_24 | B_PIE
        wait_for beats, 64
        print   "64 beats at 1024 Hz.", 10

        cmos    RTC_B, B_24
        mov     dword [beats], 0
        cmos    RTC_A, 0x23
        cmos    RTC_B, B_24 | B_PIE
        wait_for beats, 256
        cmos    RTC_B, B_24
        print   "256 beats at 8192 Hz.", 10

        cmos    1, 0xff                 ; any second,
        cmos    3, 0xff                 ; any minute,
        cmos    5, 0xff                 ; any hour
        mov     dword [alarms], 0
        cmos    RTC_B, B_24 | B_AIE
        wait_for alarms, 1
        print   "The alarm rang.", 10

        cmos    RTC_B, B_24 | B_UIE
        mov     dword [updates], 0
        wait_for updates, 1
        cmos    RTC_B, B_24
        print   "A second has passed.", 10
        halt

align 4
beats:   dd 0
alarms:  dd 0
updates: dd 0
