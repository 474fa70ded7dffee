; fast.asm: writes that do not stop the guest, for the tests of doorbells and of
; collected writes. Without a VMM that collects them each is an ordinary exit.
;
; To port 0x510 (2 bytes) and to address 0xd0000000 (1, 2, 4 bytes), in turn, numbers from
; 0 up; then to port 0x518 a fence. Then three rings at the doorbells: port 0x520, value
; 7 at 0xd0001000, value 8 there.

%include "machine.inc"

ROUNDS  equ 500
ZONE    equ 0xd0000000
BELLS   equ 0xd0001000

start:  xor     ecx, ecx
.again: mov     eax, ecx
        mov     dx, 0x510
        out     dx, ax
        mov     [ZONE], al
        mov     [ZONE + 2], cx
        mov     [ZONE + 4], ecx
        inc     ecx
        cmp     ecx, ROUNDS
        jb      .again
        mov     dx, 0x518
        in      al, dx
        mov     dx, 0x520
        mov     al, 1
        out     dx, al
        mov     dword [BELLS], 7
        mov     dword [BELLS], 8
        mov     dword [BELLS], 9
        mov     dx, 0x518
        in      al, dx
        halt
