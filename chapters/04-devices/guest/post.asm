; post.asm: how firmware speaks before it has found anything to speak with.
;
; A power-on self test writes a number to port 0x80 before each step, so that whoever
; looks at a dead board knows how far it came. Under an emulator there is port 0xe9, too,
; and SeaBIOS's 0x402: a byte written is printed. The end is port 0xf4, whose value
; becomes the exit status.
;
; args: --debug-exit
; expect: POST 01 processor
; expect: POST 02 memory: 16 MiB
; expect: POST 03 clock: battery good
; expect: POST 04 keyboard controller: self test 55
; expect: POST 05 screen
; expect: port 0x80 says 05, ports 0xe9 and 0x402 say e9 e9
; expect: written by rep outsb
; status: 11

%include "machine.inc"

POST      equ 0x80
BOCHS     equ 0xe9
SEABIOS   equ 0x402
EXIT      equ 0xf4              ; 4 ports
CMOS      equ 0x70
KBD_DATA  equ 0x60
KBD_CMD   equ 0x64

%macro post 2                   ; post CODE, "text"
        outb    POST, %1
        say     "POST ", '0', '0' + %1, " ", %2
%endmacro

%macro say 1+
        mov     esi, %%text
        call    say_text
        jmp     %%after
%%text: db      %1, 0
%%after:
%endmacro

start:  post    1, "processor"
        say     10

        post    2, "memory: "
        outb    CMOS, 0x31              ; above 1 MiB, in KiB: high byte
        inb     CMOS + 1
        mov     ah, al
        push    eax
        outb    CMOS, 0x30
        inb     CMOS + 1
        pop     ebx
        mov     bl, al
        movzx   eax, bx
        shr     eax, 10
        inc     eax                     ; and the first
        call    say_decimal
        say     " MiB", 10

        post    3, "clock: "
        outb    CMOS, 0x0d
        inb     CMOS + 1
        test    al, 0x80                ; VRT: RAM and time are valid
        jz      .flat
        say     "battery good", 10
.flat:

        post    4, "keyboard controller: self test "
        outb    KBD_CMD, 0xaa
        inb     KBD_DATA
        call    say_hex
        say     10

        post    5, "screen"
        mov     dword [0xb8000], 0x07210721
        say     10

        say     "port 0x80 says "
        inb     POST
        call    say_hex
        say     ", ports 0xe9 and 0x402 say "
        inb     BOCHS
        call    say_hex
        say     " "
        inb     SEABIOS
        call    say_hex
        say     10

        mov     esi, whole              ; one instruction, 21 exits
        mov     ecx, whole_end - whole
        mov     edx, SEABIOS
        rep     outsb

        mov     eax, 5
        out     EXIT, eax               ; 5 * 2 + 1
        halt

whole:  db      "written by rep outsb", 10
whole_end:

; ESI: a text that ends with 0, to port 0xe9.
say_text:
        lodsb
        test    al, al
        jz      .done
        out     BOCHS, al
        jmp     say_text
.done:  ret

; AL, in two hexadecimal digits.
say_hex:
        mov     ah, al
        shr     al, 4
        call    .digit
        mov     al, ah
.digit: and     al, 15
        cmp     al, 10
        jb      .small
        add     al, 'a' - '0' - 10
.small: add     al, '0'
        out     BOCHS, al
        ret

; EAX, less than 100.
say_decimal:
        mov     bl, 10
        div     bl
        mov     bh, ah
        add     al, '0'
        out     BOCHS, al
        mov     al, bh
        add     al, '0'
        out     BOCHS, al
        ret
