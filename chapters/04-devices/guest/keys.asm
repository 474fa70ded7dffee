; keys.asm: what you type appears on the text screen, and nothing is there but us.
;
;     build/devices --screen build/04-devices/keys.bin
;
; A keyboard driver and a screen driver, as small as they come. The keyboard's interrupt
; brings a scan code of set 1 (04-devices/scancodes.h); a table turns it into a character;
; the character goes into a cell at 0xb8000 and the cursor moves on. Enter begins a line,
; Backspace takes a character back, the last line scrolls, Esc ends.

%include "machine.inc"

KBD_DATA    equ 0x60
KBD_STATUS  equ 0x64
KBD_OBF     equ 0x01            ; the output buffer holds a byte
UP          equ 0x80            ; set 1: bit 7 of a key released
EXTENDED    equ 0xe0            ; ... a key comes that the first PC did not have

SCREEN      equ 0xb8000
COLUMNS     equ 80
ROWS        equ 25
CRTC        equ 0x3d4
CURSOR_HIGH equ 0x0e
CURSOR_LOW  equ 0x0f
GREY        equ 0x07            ; grey on black
WHITE       equ 0x1f            ; white on blue

start:  call    clear_screen
        call    pic_init
        handler IRQ_BASE + 1, keyboard_interrupt
        unmask  1
        mov     ah, WHITE
        mov     esi, greeting
        call    put_text
        mov     ah, GREY
        call    put_line
.early: in      al, KBD_STATUS          ; a key that came before the 8259 was ready left
        test    al, KBD_OBF             ; its line high, and only an edge interrupts
        jz      .sleep
        in      al, KBD_DATA
        call    scan_code
        jmp     .early
.sleep: sti
        hlt                     ; a key wakes us: STI lets nothing in before HLT
        cli
        cmp     byte [finished], 0
        je      .sleep
        mov     esi, farewell
        call    put_text
        halt

; [interrupt]
; IRQ 1: the controller's buffer has a byte. Reading it lowers the line.
keyboard_interrupt:
        pushad
        in      al, KBD_STATUS
        test    al, KBD_OBF
        jz      .done
        in      al, KBD_DATA
        call    scan_code
.done:  eoi     1
        popad
        interrupt_return
; [/interrupt]

; AL: a scan code. Changes everything.
scan_code:
        cmp     al, EXTENDED
        je      .done           ; arrows and the like: their code is a keypad's, ignored
        mov     bl, al
        and     bl, ~UP & 0xff
        cmp     bl, 0x2a        ; the shift keys count pressed and released
        je      .shift
        cmp     bl, 0x36
        je      .shift
        test    al, UP
        jnz     .done
        cmp     bl, plain_end - plain
        jae     .done
        movzx   ebx, bl
        mov     al, [plain + ebx]
        cmp     byte [shift], 0
        je      .plain
        mov     al, [shifted + ebx]
.plain: mov     ah, GREY
        jmp     put_key
.shift: test    al, UP
        setz    [shift]
.done:  ret

; AL: a character from the keyboard, or 0; AH: its attribute.
put_key:
        cmp     al, 27
        je      .escape
        cmp     al, 13
        je      put_line
        cmp     al, 8
        je      .back
        cmp     al, 0
        jne     put_cell
        ret
.escape:
        mov     byte [finished], 1
        ret
.back:  cmp     dword [cursor], 0
        je      .first
        dec     dword [cursor]
        mov     edi, [cursor]
        mov     al, ' '
        mov     [SCREEN + edi * 2], ax
        jmp     show_cursor
.first: ret

; ESI: a text that ends with 0; AH: its attribute.
put_text:
        lodsb
        test    al, al
        jz      .done
        push    esi
        call    put_cell
        pop     esi
        jmp     put_text
.done:  ret

; [cell]
; One cell: AL the character, AH the attribute. Then the cursor moves on.
put_cell:
        mov     edi, [cursor]
        mov     [SCREEN + edi * 2], ax
        inc     dword [cursor]
        jmp     show_cursor
; [/cell]

put_line:                       ; to the beginning of the next line
        push    eax
        mov     eax, [cursor]
        xor     edx, edx
        mov     ecx, COLUMNS
        div     ecx
        inc     eax
        mul     ecx
        mov     [cursor], eax
        pop     eax

; Beyond the last line everything moves up, as on a typewriter.
show_cursor:
        push    eax
        cmp     dword [cursor], COLUMNS * ROWS
        jb      .fits
        mov     esi, SCREEN + COLUMNS * 2
        mov     edi, SCREEN
        mov     ecx, COLUMNS * (ROWS - 1) / 2
        rep     movsd
        mov     eax, GREY << 24 | ' ' << 16 | GREY << 8 | ' '
        mov     ecx, COLUMNS / 2
        rep     stosd
        sub     dword [cursor], COLUMNS
.fits:  mov     ecx, [cursor]
        mov     edx, CRTC
        mov     al, CURSOR_HIGH
        mov     ah, ch
        out     dx, ax          ; index and data in one: two ports side by side
        mov     al, CURSOR_LOW
        mov     ah, cl
        out     dx, ax
        pop     eax
        ret

clear_screen:
        mov     edi, SCREEN
        mov     eax, GREY << 24 | ' ' << 16 | GREY << 8 | ' '
        mov     ecx, COLUMNS * ROWS / 2
        rep     stosd
        ret

greeting: db    " ", 0x03, " Type. Enter, Backspace and Shift work; Esc ends. ", 0
farewell: db    " ", 0x01, 0

; Set 1 numbers the keys of 1981 in rows, so that a table is all it takes.
plain:  db      0, 27, "1234567890-=", 8, 9
        db      "qwertyuiop[]", 13, 0
        db      "asdfghjkl;'`", 0, "\"
        db      "zxcvbnm,./", 0, "*", 0, " "
plain_end:
shifted:
        db      0, 27, "!@#$%^&*()_+", 8, 9
        db      "QWERTYUIOP{}", 13, 0
        db      'ASDFGHJKL:"~', 0, "|"
        db      "ZXCVBNM<>?", 0, "*", 0, " "

cursor:   dd    0               ; in cells
shift:    db    0
finished: db    0
