; hidden.asm: what a linear sweep gets wrong, in the fewest bytes.
;
; A jump enters the middle of what the sweep takes for one long instruction, so the
; pushf inside stays as it is; and a byte of data that looks like one is "patched".
;
; args: --mode long --entry vmm
; expect: The interrupt flag is 0; the byte of data is 0x9c.

[bits 64]
[org 0x1000]
default rel
%include "text.inc"

; [hidden]
        cli
        jmp     .inside
        db      0x48, 0xb8              ; "mov rax, ...": eats the next eight bytes
.inside:
        pushfq                          ; 0x9c, in the middle of that mov
        pop     rax
        times 6 nop
        jmp     .past
.data:  db      0x9c                    ; a byte of data, and never executed
.past:  shr     eax, 9
; [/hidden]
        and     eax, 1
        mov     ebx, eax
        lea     rsi, [flag]
        call    print
        lea     eax, [rbx + '0']
        out     TEXT_PORT, al
        lea     rsi, [byte_is]
        call    print
        mov     bl, [.data]
        mov     al, bl
        shr     al, 4
        call    print_digit
        mov     al, bl
        and     al, 15
        call    print_digit
        lea     rsi, [end]
        call    print
        hlt

print_digit:
        add     al, '0'
        cmp     al, '9'
        jbe     .out
        add     al, 'a' - '0' - 10
.out:   out     TEXT_PORT, al
        ret

print:  lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     print
.end:   ret

flag:    db "The interrupt flag is ", 0
byte_is: db "; the byte of data is 0x", 0
end:     db ".", 10, 0
