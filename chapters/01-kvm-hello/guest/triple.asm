; triple.asm: how to crash an x86 for certain.
;
; With an empty interrupt vector table no exception can be delivered. UD2 raises
; one, "invalid opcode"; delivering it fails, which raises a double fault;
; delivering that fails too, and the processor gives up: it shuts down. On a PC
; the board then pulls the reset line. KVM reports KVM_EXIT_SHUTDOWN.
;
; The table has limit 0, which is enough on real silicon. KVM's software emulator
; does not look at the limit in real mode, so the table also lies where there is
; no memory.
;
; status: 3
; expect: About to lose the interrupt table.
; expect-error: triple fault

[bits 16]
[org 0x1000]

TEXT_PORT equ 0xe9

        mov     si, warning
.print: lodsb
        test    al, al
        jz      .crash
        out     TEXT_PORT, al
        jmp     .print
.crash: lidt    [no_table]
        ud2
        hlt

no_table: dw 0                          ; limit: not even one whole entry
          dd 0x00f00000                 ; base: 15 MiB, far above our 64 KiB
warning:  db "About to lose the interrupt table.", 10, 0
