; hypercalls.asm: a kernel that knows it is a guest, and asks.
;
; First CPUID: is there a hypervisor, whose, and which port does it listen on? Then
; calls through that port, IN EAX with the number in RDI and arguments in RSI and RCX.
;
; expect: A hypervisor is present: "Ring minus 1", interface 1, port 0x9e.
; expect: The interface further up: KVMKVMKVM
; expect: One exit for this whole line.
; expect: write past the end of memory: -14
; expect: write of too much: -22
; expect: write at the top of the address space: -14
; expect: call 0xffffffffffffffff: -38
; expect: 65536 numbers from 3 up, sampled: each -38

%include "kernel.inc"

HYPERCALL_WRITE equ 1
LEAVES          equ 0x40000000

kernel_main:
; [who]
        mov     eax, 1
        cpuid
        bt      ecx, 31                 ; always 0 on a processor of silicon
        jnc     nobody
        mov     eax, LEAVES
        cpuid
        mov     [signature], ebx
        mov     [signature + 4], ecx
        mov     [signature + 8], edx
; [/who]
        lea     rsi, [present]
        call    print
        lea     rsi, [signature]
        call    print
        lea     rsi, [interface]
        call    print
        mov     eax, LEAVES + 1
        cpuid
        mov     [port], ebx
        add     al, '0'
        out     TEXT_PORT, al
        lea     rsi, [port_is]
        call    print
        mov     eax, [port]
        call    print_hex
        lea     rsi, [full_stop]
        call    print

        mov     eax, LEAVES + 0x100     ; where a second interface would be
        cpuid
        mov     [signature], ebx
        mov     [signature + 4], ecx
        mov     [signature + 8], edx
        lea     rsi, [further_up]
        call    print
        lea     rsi, [signature]
        call    print
        call    new_line

        mov     edi, HYPERCALL_WRITE
        lea     rsi, [whole_line]
        mov     ecx, whole_line_end - whole_line
        call    hypercall

        lea     rsi, [past_end]
        call    print
        mov     esi, 0x1fffff           ; RAM ends at 2 MiB
        mov     ecx, 2
        call    write_and_report
        lea     rsi, [too_much]
        call    print
        mov     esi, 0x1000
        mov     ecx, 4097
        call    write_and_report
        lea     rsi, [top]
        call    print
        mov     rsi, -1
        mov     ecx, 1
        call    write_and_report

        lea     rsi, [number_is]
        call    print
        mov     rdi, -1
        call    hypercall
        call    print_result

        lea     rsi, [sampled]
        call    print
        mov     rdi, 3
.next:  call    hypercall
        cmp     eax, -38
        jne     .odd
        imul    rdi, rdi, 69069         ; a walk over all sizes of number
        add     rdi, 12345
        dec     word [count]
        jnz     .next
.odd:   call    print_result
        hlt

nobody: lea     rsi, [no_hypervisor]
        call    print
        hlt

; The hypercall RDI with arguments RSI and RCX. EAX: the result, negative for errors.
hypercall:
        mov     edx, [port]
        in      eax, dx
        ret

write_and_report:
        mov     edi, HYPERCALL_WRITE
        call    hypercall
print_result:                           ; EAX as a negative decimal
        push    rbx
        push    rcx
        push    rdx
        mov     ebx, eax
        mov     al, '-'
        out     TEXT_PORT, al
        mov     eax, ebx
        neg     eax
        mov     ebx, 10
        xor     ecx, ecx
.digit: xor     edx, edx
        div     ebx
        push    rdx
        inc     ecx
        test    eax, eax
        jnz     .digit
.out:   pop     rax
        add     al, '0'
        out     TEXT_PORT, al
        loop    .out
        pop     rdx
        pop     rcx
        pop     rbx
new_line:
        mov     al, 10
        out     TEXT_PORT, al
        ret

program_ended: hlt

present:        db "A hypervisor is present: ", '"', 0
interface:      db '"', ", interface ", 0
port_is:        db ", port ", 0
full_stop:      db ".", 10, 0
further_up:     db "The interface further up: ", 0
whole_line:     db "One exit for this whole line.", 10
whole_line_end:
past_end:       db "write past the end of memory: ", 0
too_much:       db "write of too much: ", 0
top:            db "write at the top of the address space: ", 0
number_is:      db "call 0xffffffffffffffff: ", 0
sampled:        db "65536 numbers from 3 up, sampled: each ", 0
no_hypervisor:  db "No hypervisor says that it is here.", 10, 0
signature:      times 13 db 0
port:           dd 0
count:          dw 0
user:
user_end:
