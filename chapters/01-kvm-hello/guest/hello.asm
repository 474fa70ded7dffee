; hello.asm: a complete guest. It says hello, finds some primes, and stops.
;
; The VMM puts these bytes at 0x1000 and starts the processor there in 16-bit real
; mode, as every x86 has started since 1978. There is no BIOS and no operating
; system: the guest owns the machine. All it has is 64 KiB of memory and port 0xe9.
;
;   0x0000  interrupt vectors (unused here)
;   0x1000  this file
;   0x4000  the sieve, one byte for each number below 100
;   0xffff  the stack grows down from here
;
; expect: Hello from ring 0 of a machine that does not exist.
; expect: Primes below 100: 2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71 73 79 83 89 97
; expect: There are 25.

[bits 16]
[org 0x1000]

TEXT_PORT equ 0xe9
SIEVE     equ 0x4000
LIMIT     equ 100

; [hello]
start:
        mov     si, greeting
        call    print
; [/hello]
        call    sieve
        mov     si, primes_are
        call    print

        xor     cx, cx                  ; cx counts the primes
        mov     bx, 2
.next:  cmp     byte [SIEVE + bx], 0
        jne     .composite
        inc     cx
        mov     al, ' '
        out     TEXT_PORT, al
        mov     ax, bx
        call    print_number
.composite:
        inc     bx
        cmp     bx, LIMIT
        jb      .next

        mov     si, there_are
        call    print
        mov     ax, cx
        call    print_number
        mov     si, full_stop
        call    print
; [halt]
        hlt                             ; nothing can wake us: interrupts are off
; [/halt]

; Marks each composite number below LIMIT with a 1 in the sieve.
sieve:  mov     bx, 2
.prime: mov     di, bx
.mark:  add     di, bx
        cmp     di, LIMIT
        jae     .done
        mov     byte [SIEVE + di], 1
        jmp     .mark
.done:  inc     bx
        cmp     bx, LIMIT / 2
        jb      .prime
        ret

; [print]
; Prints the zero-terminated string at SI. Each OUT leaves the guest.
print:  lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     print
.end:   ret
; [/print]

; Prints AX in decimal: digits come out last first, so the stack turns them round.
print_number:
        push    bx
        push    cx
        mov     bx, 10
        xor     cx, cx
.digit: xor     dx, dx
        div     bx
        push    dx
        inc     cx
        test    ax, ax
        jnz     .digit
.print: pop     ax
        add     al, '0'
        out     TEXT_PORT, al
        loop    .print
        pop     cx
        pop     bx
        ret

greeting:   db "Hello from ring 0 of a machine that does not exist.", 10, 0
primes_are: db "Primes below 100:", 0
there_are:  db 10, "There are ", 0
full_stop:  db ".", 10, 0
