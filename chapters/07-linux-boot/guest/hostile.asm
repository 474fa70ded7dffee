; hostile.asm: a kernel that misbehaves as its command line's first letter says.
;
;   o  sends 65,535 bytes with one instruction      i  reads as many
;   p  writes and reads every port, each width      m  the same for device memory
;   e  echoes by polling, until a 'q'               c  looks for VMX and SVM in CPUID
;   t  triple fault                                 j  jumps where no memory is
;   9  port 0x92   f  port 0xcf9   k  port 0x64     r  0xcf9 without its reset bit
;   h  halts with interrupts off
;
; Those that survive say "alive" and halt with interrupts off: status 0.

%include "kernel.inc"

COM1 equ 0x3f8
LSR  equ COM1 + 5
HOLE equ 0xd0000000                     ; between RAM and the I/O APIC: nobody's

; Jumps to %2 if the letter is %1.
%macro on 2
    cmp al, %1
    je %2
%endmacro

entry:
    cld
    mov ebx, [rsi + CMDLINE_PTR]
    mov al, [rbx]
    on 'o', flood
    on 'i', drain
    on 'p', ports
    on 'm', device_memory
    on 'e', echo
    on 'c', virtualization
    on 't', triple
    on 'j', jump
    on '9', port_92
    on 'f', port_cf9
    on 'k', keyboard
    on 'r', no_reset
    jmp halt

flood:                                  ; 256 bytes, "A" to "Z" and line ends, again
    mov edi, BUFFER                   ; and again
    xor ecx, ecx
.fill:
    mov eax, ecx
    xor edx, edx
    mov ebx, 27
    div ebx
    add dl, 'A'
    cmp dl, 'A' + 26
    jne .store
    mov dl, 10
.store:
    mov [rdi + rcx], dl
    inc ecx
    cmp ecx, 65535
    jne .fill
    mov esi, BUFFER
    mov edx, COM1
    rep outsb
    jmp halt

drain:
    mov edi, BUFFER
    mov ecx, 65535
    mov edx, COM1
    rep insb
    mov edi, BUFFER + 65534           ; and downwards
    mov ecx, 65535
    std
    rep insb
    cld
    jmp alive

; All ports but those that reset, the keyboard controller (its command 0xfe does) and
; the interrupt chips and the timer, which the kernel of the host answers.
ports:
    mov r8d, 0x12345678                 ; xorshift32, fixed seed
    mov edx, 0x66
.next:
    cmp edx, 0x92 - 3                   ; a 4-byte access three ports below touches it
    jb .try
    cmp edx, 0x92
    jbe .skip
    cmp edx, 0xcf8 - 3
    jb .not_pic
    cmp edx, 0xcfb
    jbe .skip
.not_pic:
    cmp edx, 0xa0 - 3
    jb .try
    cmp edx, 0xa1
    jbe .skip
.try:
    mov eax, r8d
    shl eax, 13
    xor r8d, eax
    mov eax, r8d
    shr eax, 17
    xor r8d, eax
    mov eax, r8d
    shl eax, 5
    xor r8d, eax
    mov eax, r8d
    out dx, al
    out dx, ax
    out dx, eax
    in al, dx
    in ax, dx
    in eax, dx
.skip:
    inc edx
    cmp edx, 0x500
    jne .next
    mov edx, 0xcd0                      ; around the reset control register
.next_high:
    cmp edx, 0xcf8 - 3
    jb .try_high
    cmp edx, 0xcfb
    jbe .skip_high
.try_high:
    mov eax, 0xffffffff
    out dx, al
    out dx, ax
    out dx, eax
    in eax, dx
.skip_high:
    inc edx
    cmp edx, 0xd20
    jne .next_high
    mov edx, 0xffff                     ; the last port, and what follows it
    out dx, ax
    in eax, dx
    jmp alive

device_memory:
    mov rdi, HOLE
    mov ecx, 2000
.next:
    mov [rdi], cl
    mov [rdi + 1], cx
    mov [rdi + 3], ecx
    mov [rdi + 5], rcx
    mov al, [rdi]
    mov ax, [rdi + 1]
    mov eax, [rdi + 3]
    mov rax, [rdi + 5]
    cmp rax, -1
    jne halt                            ; not all ones: do not say "alive"
    add rdi, 0x1357
    dec ecx
    jnz .next
    jmp alive

echo:
    mov edx, LSR
.wait:
    in al, dx
    test al, 1
    jz .wait
    mov edx, COM1
    in al, dx
    cmp al, 'q'
    je alive
    out dx, al
    jmp echo

virtualization:
    mov eax, 1
    cpuid
    test ecx, 1 << 5                    ; VMX
    jnz halt
    test ecx, 1 << 31                   ; "a hypervisor is present"
    jz halt
    mov eax, 0x80000001
    cpuid
    test ecx, 1 << 2                    ; SVM
    jnz halt
    jmp alive

triple:
    lidt [nothing]
    ud2

jump:
    mov rax, HOLE
    jmp rax

port_92:
    mov al, 1
    out 0x92, al
    jmp alive

port_cf9:
    mov edx, 0xcf9
    mov al, 2
    out dx, al
    mov al, 6
    out dx, al
    jmp alive

keyboard:
    mov al, 0xfe
    out 0x64, al
    jmp alive

no_reset:
    mov edx, 0xcf9
    mov al, 2
    out dx, al
    jmp alive

alive:                                  ; the port may be in any state
    mov edx, COM1 + 3
    xor eax, eax
    out dx, al                          ; LCR: no DLAB
    inc edx
    out dx, al                          ; MCR: no loopback
    mov edx, COM1 + 1
    out dx, al                          ; IER
    inc edx
    out dx, al                          ; FCR
    lea rsi, [message]
    mov ecx, message_size
    mov edx, COM1
    rep outsb
halt:
    cli
    hlt
    jmp halt

message:
    db "alive", 10
message_size equ $ - message

nothing:
    times 10 db 0

file_end:
BUFFER equ KERNEL_BASE + 0x100000       ; RAM behind us
