; outs.asm: one instruction that sends 65,535 bytes, and one that asks for as many.
;
; REP OUTSB hands ECX bytes from ESI to one port. The port stays, the pointer moves; a
; VMM that moves the port sends one byte to the serial port and the rest to its
; neighbours. All bytes must come out, in this order: 1,023 lines of 64, and one of 63.
;
; REP INSB takes ECX bytes from one port. Nobody types, so the receiver's register is
; read 65,535 times and says 0 each time; the guest looks that nothing is written beyond.
;
; tests/04-devices/kvm_text.c compares every byte.

%include "machine.inc"

BUFFER equ 0x100000
COUNT  equ 65535
LINE   equ 64

start:  call    fill
        mov     esi, BUFFER
        mov     ecx, COUNT
        mov     edx, COM1
        rep     outsb
        cmp     esi, BUFFER + COUNT     ; the pointer has moved,
        jne     .wrong
        cmp     edx, COM1               ; the port has not
        jne     .wrong

        mov     byte [BUFFER + COUNT], 0x5a
        mov     edi, BUFFER
        mov     ecx, COUNT
        rep     insb
        cmp     edi, BUFFER + COUNT
        jne     .wrong
        cmp     byte [BUFFER + COUNT], 0x5a
        jne     .wrong
        mov     edi, BUFFER
        mov     ecx, COUNT
        xor     al, al
        repe    scasb                   ; all zeros?
        jne     .wrong
        halt
.wrong: ud2                             ; no IDT: the VMM reports a triple fault

; 1,024 lines: four digits, a blank, 58 characters, a line's end.
fill:   mov     edi, BUFFER
        mov     ebx, 1
.line:  mov     eax, ebx
        mov     ecx, 4
.digit: xor     edx, edx
        mov     ebp, 10
        div     ebp
        add     dl, '0'
        mov     [edi + ecx - 1], dl
        loop    .digit
        add     edi, 4
        mov     esi, rest
        mov     ecx, LINE - 4
        rep     movsb
        inc     ebx
        cmp     ebx, 1024
        jbe     .line
        mov     byte [BUFFER + COUNT - 1], 10   ; the last one is shorter
        ret

rest:   db      " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345", 10
