; screen.asm: a kernel with a screen and a keyboard. It writes "Ring -1" in yellow on blue, and
; below it, from left to right, each code that the keyboard sends, as the letter of that
; number. After the code of Q it halts with interrupts off.

%include "kernel.inc"

TEXT     equ 0xb8000
ROW      equ 160                        ; bytes
DATA     equ 0x60
STATUS   equ 0x64
FULL     equ 1                          ; a byte is waiting
CODE_Q   equ 0x10                       ; scan code set 1

entry:
    cld
    lea rsi, [title]
    mov edi, TEXT
    mov ah, 0x1e
.letter:
    lodsb
    test al, al
    jz .typed
    stosw
    jmp .letter

.typed:
    mov edi, TEXT + ROW
.wait:
    in al, STATUS
    test al, FULL
    jz .wait
    in al, DATA
    mov ah, 0x07
    stosw
    cmp al, CODE_Q
    jne .wait
.halt:
    cli
    hlt
    jmp .halt

title:
    db "Ring -1", 0

file_end:
