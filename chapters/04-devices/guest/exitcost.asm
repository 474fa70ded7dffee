; exitcost.asm: how long an access takes, by the guest's own time stamp counter.
;
; The same code runs on our VMM, on a bare KVM_RUN loop and under QEMU. Each test does
; COUNT accesses and prints its letter and the ticks for all of them, in hexadecimal. Which
; tests and how many accesses, the host has written to memory. Under QEMU it is a
; multiboot kernel, in the same processor mode, with the tests that QEMU's test device
; answers. [MULTIBOOT, 3.1 "OS image format"]
;
;     port 0xe0, address 0xff000000   a register that takes what is written
;     port 0xe4                       ... whose writes KVM turns into an eventfd
;     address 0xfe000000              ... and this one, too
;     address 0xfd000000              writes that KVM collects
;     port 0xec                       a write raises and lowers interrupt line 5
;     port 0xee                       an eventfd that is interrupt line 6

TESTS   equ 0x500                       ; a bit for each test, 'a' is bit 0
COUNT   equ 0x504

%ifdef MULTIBOOT
    %define ORG 0x100000
%endif
%include "machine.inc"

%ifdef MULTIBOOT
        align   4
header: dd      0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
        dd      header, ORG, 0, 0, ORG
%endif

REG     equ 0xff000000
STRING  equ 4096                        ; bytes of a string access

; measure LETTER: begins a test, unless it is not wanted; measured finishes it.
%macro measure 1
    %push test
        bt      dword [TESTS], %1 - 'a'
        jnc     near %$skip
        mov     byte [letter], %1
        call    test_start
%$again:
%endmacro

%macro measured 0
        dec     ebp
        jnz     near %$again
        call    test_stop
%$skip:
    %pop
%endmacro

start:
%ifdef MULTIBOOT
        mov     esp, 0xf000
        mov     dword [TESTS], 0x3f
        mov     dword [COUNT], 8192
%endif
        measure 'a'                     ; OUT
        mov     dx, 0xe0
        out     dx, eax
        measured

        measure 'b'                     ; IN
        mov     dx, 0xe0
        in      eax, dx
        measured

        measure 'c'                     ; a write to memory that is a device
        mov     [REG], eax
        measured

        measure 'd'                     ; a read
        mov     eax, [REG]
        measured

        measure 'e'                     ; REP OUTSB, a byte
        mov     esi, 0x20000
        mov     ecx, STRING
        mov     edx, 0xe0
        rep     outsb
        call    string_done
        measured

        measure 'f'                     ; REP INSB, a byte
        mov     edi, 0x20000
        mov     ecx, STRING
        mov     edx, 0xe0
        rep     insb
        call    string_done
        measured

        measure 'g'                     ; HLT
        hlt
        measured

        measure 'h'                     ; OUT to an eventfd
        mov     dx, 0xe4
        out     dx, eax
        measured

        measure 'i'                     ; a write to memory that is an eventfd
        mov     [0xfe000000], eax
        measured

        measure 'j'                     ; a write that is collected
        mov     [0xfd000000], eax
        measured

        call    pic_init
        handler 0x25, line5
        handler 0x26, line6
        unmask  5
        unmask  6
        sti

        measure 'k'                     ; OUT to a device that interrupts
        mov     ebx, [taken]
        mov     dx, 0xec
        out     dx, al
.wait5: cmp     ebx, [taken]
        je      .wait5
        measured

        measure 'l'                     ; OUT to an eventfd that is an interrupt
        mov     ebx, [taken]
        mov     dx, 0xee
        out     dx, al
.wait6: cmp     ebx, [taken]
        je      .wait6
        measured

        cli
        print   ".", 10
        outb    0xf4, 0                 ; QEMU's debug exit; nobody here
        halt

line5:  push    eax
        inc     dword [taken]
        eoi     5
        pop     eax
        interrupt_return
line6:  push    eax
        inc     dword [taken]
        eoi     6
        pop     eax
        interrupt_return

; A string is many accesses: it counts for all of them.
string_done:
        sub     ebp, STRING - 1
        jg      .more
        mov     ebp, 1                  ; the last one
.more:  ret

test_start:
        mov     ebp, [COUNT]
        rdtsc
        mov     [begun], eax
        mov     [begun + 4], edx
        xor     eax, eax
        ret

test_stop:
        rdtsc
        sub     eax, [begun]
        sbb     edx, [begun + 4]
        push    eax
        push    edx
        mov     al, [letter]
        call    put_char
        mov     al, ' '
        call    put_char
        pop     edx
        pop     eax
        push    eax
        print_hex edx
        pop     eax
        print_hex eax
        print   10
        ret

letter: db      0
        align   8
begun:  dq      0
taken:  dd      0
