; tasks.asm: two endless loops, and a clock that takes the processor from each in turn.
;
; Neither loop ever gives up the processor, and neither knows of the other. Each has a
; stack. The timer interrupts, the handler saves the registers on the stack it finds,
; changes stacks, and restores what it finds there: the other loop goes on.
;
; expect: Two endless loops shared the processor for 20 ticks.
; expect: Both have counted.

%include "machine.inc"

TICKS     equ 20
PIT_COUNT equ 11932             ; 1,193,182 Hz / 11,932: a tick each 10 ms

; [switch]
tick:   pushad
        eoi     0
        inc     dword [ticks]
        cmp     dword [ticks], TICKS
        jae     finish
        xchg    esp, [other]            ; the whole task switch
        popad
        iret
; [/switch]

task_a: inc     dword [count_a]
        jmp     task_a

task_b: inc     dword [count_b]
        jmp     task_b

start:  call    pic_init
        handler IRQ_BASE, tick

        mov     edi, stack_b            ; as if the loop had been interrupted already,
        mov     dword [edi - 4], EFLAGS_IF ; before its first instruction
        mov     dword [edi - 8], CODE32
        mov     dword [edi - 12], task_b
        sub     edi, 12 + 32            ; eight registers for POPAD, whatever they hold
        mov     [other], edi

        outb    0x43, 0x34              ; counter 0, both bytes, mode 2
        outb    0x40, PIT_COUNT & 0xff
        outb    0x40, PIT_COUNT >> 8
        unmask  0
        sti
        jmp     task_a

finish: print   "Two endless loops shared the processor for 20 ticks.", 10
        cmp     dword [count_a], 0
        je      .starved
        cmp     dword [count_b], 0
        je      .starved
        print   "Both have counted.", 10
        halt
.starved:
        print   "One of them has starved.", 10
        halt

align 4
ticks:   dd 0
count_a: dd 0
count_b: dd 0
other:   dd 0                   ; the stack of the task that does not run
         times 64 dd 0
stack_b:
