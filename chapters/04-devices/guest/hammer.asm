; hammer.asm: a guest that hammers every port, with every width, and many a hole.
;
; First it reads all 65,536 ports, with each width where it is aligned. Then it writes
; random values of random widths to random ports, but for those whose purpose is to end
; the machine or to say something: 0x64, 0x92 and 0xcf8 to 0xcfb reset, 0xf4 may end, and
; the serial port and port 0xe9 print. Then the same with addresses behind the RAM. The
; numbers come from a generator with a fixed seed, so a run can be repeated.
;
; args: --limit 100
; expect: ports read
; expect: ports written
; expect: holes read and written
; expect: alive

%include "machine.inc"

WRITES equ 10000
HOLES  equ 3000
HOLE   equ 0xc0000000                   ; no RAM and no device between 3 GiB ...
SPAN   equ 0x3ec00000 - 4               ; ... and the I/O APIC

start:  xor     edx, edx
.read:  in      al, dx
        test    dl, 1
        jnz     .next
        in      ax, dx
        test    dl, 3
        jnz     .next
        in      eax, dx
.next:  inc     dx
        jnz     .read
        print   "ports read", 10

        mov     ecx, WRITES
.write: call    random
        mov     edx, eax
        shr     edx, 16
        call    forbidden
        jz      .write
        call    random
        test    ecx, 3
        jz      .long
        test    ecx, 1
        jz      .word
        out     dx, al
        jmp     .wrote
.word:  out     dx, ax
        jmp     .wrote
.long:  out     dx, eax
.wrote: loop    .write
        call    calm
        print   "ports written", 10

        mov     ecx, HOLES
.hole:  call    random
        mov     edi, SPAN
        mul     edi                     ; EDX: evenly spread below SPAN
        add     edx, HOLE
        mov     al, [edx]
        mov     [edx], al
        mov     ax, [edx]
        mov     [edx], ax
        mov     eax, [edx]
        mov     [edx], eax
        cmp     eax, -1
        jne     .bad
        loop    .hole
        print   "holes read and written", 10
        print   "alive", 10
        halt
.bad:   print   "a hole read as "
        print_hex eax
        print   10
        halt

; Is one of the four ports at DX one that ends or prints? ZF says so.
forbidden:
        push    esi
        push    ecx
        mov     esi, ports
        mov     ecx, PORTS
.next:  lodsw
        sub     ax, dx                  ; the forbidden port, counted from ours
        cmp     ax, 4
        jb      .yes
        loop    .next
        or      esp, esp                ; not zero
        jmp     .done
.yes:   cmp     eax, eax
.done:  pop     ecx
        pop     esi
        ret

ports:  dw      0x64, 0x92, 0xcf8, 0xcf9, 0xcfa, 0xcfb, 0xf4, 0xf5, 0xf6, 0xf7, 0xe9, 0x402
        dw      0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x60
PORTS   equ ($ - ports) / 2

; The serial port and the interrupt controllers in a state we know.
calm:   outb    COM1 + 3, 3             ; LCR: 8 bits, divisor hidden
        outb    COM1 + 4, 0
        outb    COM1 + 1, 0
        outb    COM1 + 2, 7
        ret

; EAX = the next number of a linear congruence.
random: mov     eax, [seed]
        imul    eax, eax, 1664525
        add     eax, 1013904223
        mov     [seed], eax
        ret
seed:   dd      12345
