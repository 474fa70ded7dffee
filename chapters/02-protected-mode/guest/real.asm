; real.asm: 16-bit real mode, where every x86 starts; and the question of A20.
;
; The 8086 had twenty address lines, so ffff:0010, one byte past 1 MiB, was address 0
; again. Some programs relied on it. The 80286 had more lines, and the PC/AT put a
; gate on line A20 to keep it low, worked by the keyboard controller of all things. A
; boot loader had to open the gate or lose every odd megabyte. KVM has no gate: what
; the guest sees as memory is memory. This guest looks.
;
; args: --mode real --entry guest
; expect: Real mode: an address is segment * 16 + offset.
; expect: 0000:0500 and ffff:0510 are two bytes: A20 is open, as on every KVM machine.

[bits 16]
[org 0x1000]
%include "text.inc"

        mov     si, hello
        call    print

; [a20]
        xor     ax, ax
        mov     ds, ax
        dec     ax
        mov     es, ax                  ; ES = 0xffff
        mov     byte [ds:0x0500], 0x12
        mov     byte [es:0x0510], 0x34  ; 0xffff0 + 0x510 = 0x100500
        cmp     byte [ds:0x0500], 0x12
; [/a20]
        mov     si, open
        je      .say
        mov     si, wraps
.say:   call    print
        hlt

print:  lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     print
.end:   ret

hello:  db "Real mode: an address is segment * 16 + offset.", 10, 0
open:   db "0000:0500 and ffff:0510 are two bytes: A20 is open, as on every KVM machine.", 10, 0
wraps:  db "0000:0500 and ffff:0510 are one byte: A20 is shut.", 10, 0
