; picscript.asm: executes port accesses that a test asks for, one after the other, so that
; KVM's own interrupt controllers, which hear no one but a guest, can be compared with
; ours. Not for the program "devices": tests/04-devices/kvm_pic.c plays the VMM.
;
; A read of 32 bits from port 0xf0 gives the next order: bits 31 to 24 what to do,
; 23 to 16 a value, 15 to 0 a port.
;
;     0   write value to port           1   read port; the byte goes to port 0xf1
;     2   take an interrupt: its handler writes the vector to port 0xf2. No EOI.

%include "machine.inc"

ORDER  equ 0xf0
RESULT equ 0xf1
TAKEN  equ 0xf2

start:
%assign line 0
%rep 16
        handler IRQ_BASE + line, taken_ %+ line
    %assign line line + 1
%endrep

.next:  in      eax, ORDER
        mov     edx, eax
        shr     eax, 16
        cmp     ah, 1
        je      .read
        ja      .take
        out     dx, al
        jmp     .next
.read:  in      al, dx
        out     RESULT, al
        jmp     .next
.take:  mov     byte [taken], 0
        sti
.wait:  cmp     byte [taken], 0
        je      .wait
        cli
        jmp     .next

%assign line 0
%rep 16
taken_ %+ line:
        push    eax
        mov     al, IRQ_BASE + line
        and     dword [esp + 12], ~EFLAGS_IF ; one at a time: the next only when asked
        out     TAKEN, al
        mov     byte [taken], 1
        pop     eax
        iret
    %assign line line + 1
%endrep

taken:  db 0
