; wild.asm: a jump to where there is no memory.
;
; The processor must fetch an instruction that nobody can supply. KVM's emulator
; gives up: KVM_EXIT_INTERNAL_ERROR. On a real board the bus would float and the
; processor would execute whatever all-ones means.
;
; status: 4
; expect-error: rip=0x0000000000000000

[bits 16]
[org 0x1000]

        jmp     0xf000:0x0000
