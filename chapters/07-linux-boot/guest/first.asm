; first.asm: the smallest first program of a Linux guest. It says "first" and sleeps for
; ever. An ELF file made by hand, to be /init of an initramfs.
; [GABI, "ELF Header" and "Program Header"]

bits 64
BASE      equ 0x400000
SYS_WRITE equ 1
SYS_PAUSE equ 34

org BASE

file:
    db 0x7f, "ELF", 2, 1, 1
    times 9 db 0
    dw 2, 62                            ; an executable for x86-64
    dd 1
    dq entry, header - file, 0
    dd 0
    dw 64, 56, 1, 0, 0, 0
header:
    dd 1, 5                             ; PT_LOAD, read and execute
    dq 0, BASE, BASE, file_end - file, file_end - file, 0x1000

entry:
    mov eax, SYS_WRITE
    mov edi, 1
    lea rsi, [rel text]
    mov edx, text_end - text
    syscall
sleep:
    mov eax, SYS_PAUSE
    syscall
    jmp sleep

text:
    db `first\n`
text_end:
file_end:
