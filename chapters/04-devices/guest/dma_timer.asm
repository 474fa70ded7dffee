; dma_timer.asm: a driver for the device of 04-devices/dma_timer.h, with its pin.
;
; expect: BAR 0 wants 00002000 bytes
; expect: copied: 00004000 bytes, and they are right
; expect: refused: error 00000006, status 80000006
; expect: the timer has fired
; expect: and goes on
; expect: copied once more

%include "machine.inc"
%include "pci.inc"
%include "dma_timer.inc"

ELCR_2  equ 0x4d1               ; lines 8 to 15: level or edge

start:  call    dma_timer_find
        mov     ecx, PCI_BAR_0
        call    pci_bar_size
        print   "BAR 0 wants "
        print_hex eax
        print   " bytes", 10
        call    dma_timer_place

        mov     ecx, PCI_INTERRUPT
        call    pci_read                ; AL: the line that the board has wired the pin to
        movzx   eax, al
        add     eax, IRQ_BASE
        handler eax, interrupt
        call    pic_init
        outb    ELCR_2, 0x0c            ; PCI's pins are levels: lines 10 and 11
        unmask  10
        unmask  11
        mov     dword [WINDOW + REG_ENABLE], CAUSE_COPIED | CAUSE_FAILED | CAUSE_TIMER
        sti

        mov     edi, SOURCE
        mov     ecx, 0x4000
.fill:  mov     eax, edi
        imul    eax, 7
        stosb
        loop    .fill
        mov     esi, SOURCE
        mov     edi, TARGET
        mov     ecx, 0x4000
        call    dma_copy
        mov     esi, SOURCE
        mov     edi, TARGET
        mov     ecx, 0x4000
        repe    cmpsb
        jne     wrong
        cmp     dword [causes], CAUSE_COPIED
        jne     wrong
        print   "copied: 00004000 bytes, and they are right", 10

        mov     esi, SOURCE
        mov     edi, WINDOW             ; its own registers: no RAM, so no target
        mov     ecx, 16
        call    dma_copy
        cmp     dword [causes], CAUSE_FAILED
        jne     wrong
        print   "refused: error "
        print_hex dword [WINDOW + REG_ERROR]
        print   ", status "
        print_hex dword [descriptor + 24]
        print   10

        mov     dword [WINDOW + REG_PERIOD], 1000 ; microseconds
        mov     dword [WINDOW + REG_TIMER], TIMER_RUN | TIMER_REPEAT
        call    wait_timer
        print   "the timer has fired", 10
        call    wait_timer
        print   "and goes on", 10
        mov     ebp, 30                 ; milliseconds, in which the machine comes to rest
.rest:  call    wait_timer
        dec     ebp
        jnz     .rest
        mov     dword [WINDOW + REG_TIMER], 0

        mov     esi, SOURCE
        mov     edi, TARGET + 0x8000
        mov     ecx, 0x1000
        call    dma_copy
        mov     esi, SOURCE
        mov     edi, TARGET + 0x8000
        mov     ecx, 0x1000
        repe    cmpsb
        jne     wrong
        print   "copied once more", 10
        halt

wait_timer:
        mov     dword [causes], 0
.wait:  cli
        test    dword [causes], CAUSE_TIMER
        jnz     .done
        sti
        hlt
        jmp     .wait
.done:  sti
        ret

wrong:  print   "wrong: cause "
        print_hex dword [causes]
        print   10
        halt

; [isr]
; The pin is high until CAUSE is clear, so clear first, then end the interrupt: in the
; other order the controller would find the line still high, and interrupt again.
interrupt:
        push    eax
        mov     eax, [WINDOW + REG_CAUSE]
        or      [causes], eax
        mov     [WINDOW + REG_CAUSE], eax
        eoi     10                      ; 10 and 11 are both the second chip's
        pop     eax
        interrupt_return
; [/isr]
