; reset_vector.asm: all that this machine has of a BIOS: 16 bytes at f000:fff0, where an
; x86 processor of old began, and where a kernel jumps that has found no other way to
; reset the machine. It pulls the reset line once more, this time for certain.
; [SDM3, 9.1.4 "First Instruction Executed"], [ICH9, 13.7.5 "RST_CNT: Reset Control Register"]

org 0xfff0
bits 16

RESET_CONTROL equ 0xcf9
HARD_RESET    equ 0x06

    mov dx, RESET_CONTROL
    xor al, al
    out dx, al                          ; the reset is in the rising of a bit
    mov al, HARD_RESET
    out dx, al
    hlt                                 ; never reached
    times 16 - ($ - $$) nop
