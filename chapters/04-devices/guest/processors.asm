; processors.asm: the first processor wakes all others as an operating system does, and
; then all of them do what the test asks for.
;
; A processor that is not the first waits after reset for two messages from another
; one's local APIC: INIT, and "start up", whose vector is the page where it begins, in
; real mode. [SDM3, 8.4.3 "MP Initialization Protocol Algorithm for MP Systems"]
;
; Each takes a number, 0 for the first, counts itself, and does task [TASK], a letter
; that the test has left in memory:
;
;     s  spins, counting its rounds, for ever
;     w  writes its letter (A and up) to the serial port TEXT times, asking nobody
;        whether there is room, then halts
;     e  the last one to come writes to END_PORT, the others halt
;     t  the last one to come dies of a triple fault, the others halt
;     h  the last one to come counts to a million first; then all halt with interrupts off

%include "machine.inc"

TASK      equ 0x0600            ; and what the test looks at:
EXPECTED  equ 0x0604            ; processors in all
ARRIVED   equ 0x0608            ; processors that have taken a number
COUNTS    equ 0x0640            ; a dword for each
AP_PAGE   equ 8                 ; 0x8000, where the others begin
TEXT      equ 500
END_PORT  equ 0x0510

APIC          equ 0xfee00000
APIC_SVR      equ APIC + 0x0f0
APIC_ICR_LOW  equ APIC + 0x300
ICR_INIT      equ 5 << 8
ICR_STARTUP   equ 6 << 8
ICR_ASSERT    equ 1 << 14
ICR_OTHERS    equ 3 << 18

start:  mov     esi, others             ; their code to its page
        mov     edi, AP_PAGE << 12
        mov     ecx, others_end - others
        rep     movsb
        mov     eax, 1                  ; ours is the first number, 0
        lock xadd [ARRIVED], eax
        mov     ebx, eax
        mov     dword [APIC_SVR], 0x1ff
        mov     dword [APIC_ICR_LOW], ICR_OTHERS | ICR_ASSERT | ICR_INIT
        mov     dword [APIC_ICR_LOW], ICR_OTHERS | ICR_ASSERT | ICR_STARTUP | AP_PAGE
.wait:  mov     eax, [ARRIVED]
        cmp     eax, [EXPECTED]
        je      .all                    ; a message that comes too early is lost: again
        mov     dword [APIC_ICR_LOW], ICR_OTHERS | ICR_ASSERT | ICR_STARTUP | AP_PAGE
        mov     ecx, 10000
.pause: loop    .pause
        jmp     .wait
.all:   cmp     byte [TASK], 's'
        je      .spin
        cmp     byte [TASK], 'w'
        je      .write
        halt                            ; all other tasks are the last one's
.spin:  inc     dword [COUNTS + ebx * 4]
        jmp     .spin
.write: mov     al, 'A'
        add     al, bl
        mov     dx, COM1
        mov     ecx, TEXT
.next:  out     dx, al
        loop    .next
        halt

; The same in real mode, wherever it is copied to. ES is 0.
[bits 16]
others: xor     ax, ax
        mov     es, ax
        mov     eax, 1
        lock xadd [es:ARRIVED], eax
        mov     ebx, eax
        inc     eax
        mov     edx, eax                ; how many had come when we came
        mov     al, [es:TASK]
        cmp     al, 's'
        je      .spin
        cmp     al, 'w'
        je      .write
        cmp     edx, [es:EXPECTED]
        jne     .halt
        cmp     al, 'e'
        je      .end
        cmp     al, 't'
        je      .die
        mov     ecx, 1000000
.count: inc     dword [es:COUNTS]
        dec     ecx
        jnz     .count
.halt:  cli
        hlt
        jmp     .halt
.spin:  inc     dword [es:COUNTS + ebx * 4]
        jmp     .spin
.write: mov     eax, [es:ARRIVED]       ; all at once
        cmp     eax, [es:EXPECTED]
        jne     .write
        mov     al, 'A'
        add     al, bl
        mov     dx, COM1
        mov     cx, TEXT
.next:  out     dx, al
        loop    .next
        jmp     .halt
.end:   mov     dx, END_PORT
        out     dx, al
        jmp     .halt
.die:   lidt    [cs:.none - others]     ; a real-mode table of no length ...
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax                ; ... and now one of protected mode
        ud2
        jmp     .halt
.none:  dw      0
        dd      0
others_end:
