; deprived.asm: a kernel that looks at itself, to be run in ring 0 and in ring 3.
;
; In ring 0 of a virtual machine (modes --mode long --entry vmm) all it says is true. In
; ring 3 of a process (before-vtx run) half of it is not, unless the silent instructions
; have been patched (before-vtx run --patch); then the text is the same again. It is
; position-independent, so that it runs wherever it is put.
;
; args: --mode long --entry vmm
; expect: ring 0, data segment 0x10, task 0x20, local table 0x0
; expect: CR0 by mov 0x80000011, by smsw 0x80000011
; expect: after cli the interrupt flag is 0
; expect: after sti the interrupt flag is 1
; expect: after popf of 0 the interrupt flag is 0
; expect: lgdt then sgdt: the same
; expect: lidt then sidt: the same

[bits 64]
[org 0x1000]
default rel
%include "text.inc"

        mov     eax, cs
        and     eax, 3
        lea     rsi, [ring]
        call    print_with
        mov     eax, ds
        lea     rsi, [data_segment]
        call    print_hex_with
        str     eax
        lea     rsi, [task]
        call    print_hex_with
        sldt    eax
        lea     rsi, [local_table]
        call    print_hex_with
        call    new_line

        mov     rax, cr0
        lea     rsi, [by_mov]
        call    print_hex_with
        smsw    eax
        lea     rsi, [by_smsw]
        call    print_hex_with
        call    new_line

        cli
        lea     rsi, [after_cli]
        call    print_interrupt_flag
        sti
        lea     rsi, [after_sti]
        call    print_interrupt_flag
        push    2
        popfq
        lea     rsi, [after_popf]
        call    print_interrupt_flag

        lgdt    [my_gdt]
        sgdt    [seen]
        lea     rdi, [my_gdt]
        lea     rsi, [gdt_is]
        call    print_comparison
        lidt    [my_idt]
        sidt    [seen]
        lea     rdi, [my_idt]
        lea     rsi, [idt_is]
        call    print_comparison
        hlt

; Prints the string at RSI and whether the flag is set.
print_interrupt_flag:
        pushfq
        pop     rax
        shr     eax, 9
        and     eax, 1
        call    print_with
        jmp     new_line

; Prints the string at RSI and whether "seen" holds the ten bytes at RDI.
print_comparison:
        call    print
        mov     rax, [rdi + 2]
        cmp     rax, [seen + 2]
        lea     rsi, [same]
        je      .say
        lea     rsi, [another]
.say:   jmp     print

; Prints the string at RSI and EAX, a digit.
print_with:
        push    rax
        call    print
        pop     rax
        add     al, '0'
        out     TEXT_PORT, al
        ret

; Prints the string at RSI and EAX in hexadecimal.
print_hex_with:
        push    rax
        call    print
        pop     rdx
        mov     al, '0'
        out     TEXT_PORT, al
        mov     al, 'x'
        out     TEXT_PORT, al
        mov     ecx, 8
.skip:  rol     edx, 4
        test    dl, 15
        jnz     .digit
        dec     ecx
        jnz     .skip
        inc     ecx
.digit: mov     al, dl
        and     al, 15
        add     al, '0'
        cmp     al, '9'
        jbe     .out
        add     al, 'a' - '0' - 10
.out:   out     TEXT_PORT, al
        rol     edx, 4
        dec     ecx
        jnz     .digit
        ret

new_line:
        mov     al, 10
        out     TEXT_PORT, al
        ret

print:  lodsb
        test    al, al
        jz      .end
        out     TEXT_PORT, al
        jmp     print
.end:   ret

ring:         db "ring ", 0
data_segment: db ", data segment ", 0
task:         db ", task ", 0
local_table:  db ", local table ", 0
by_mov:       db "CR0 by mov ", 0
by_smsw:      db ", by smsw ", 0
after_cli:    db "after cli the interrupt flag is ", 0
after_sti:    db "after sti the interrupt flag is ", 0
after_popf:   db "after popf of 0 the interrupt flag is ", 0
gdt_is:       db "lgdt then sgdt: ", 0
idt_is:       db "lidt then sidt: ", 0
same:         db "the same", 10, 0
another:      db "another", 10, 0
align 8
my_gdt:       dw 0x27
              dq 0xf000
my_idt:       dw 0xfff
              dq 0x12345000
seen:         dw 0
              dq 0
