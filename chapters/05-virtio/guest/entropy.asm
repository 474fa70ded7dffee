; entropy.asm: the shortest conversation over a ring: lend a buffer, get it back full.
;
; expect: used.idx is 00000001, and 00000010 bytes came.
; expect: They are not all zero.

%include "machine.inc"
%include "virtio.inc"

BUFFER equ 0x30000

; [entropy]
start:  mov     ebx, ENTROPY
        call    virtio_negotiate
        mov     eax, 0
        call    virtio_queue

        ; 1. Describe the buffer: 16 bytes that the device may write.
        descriptor 0, BUFFER, 16, WRITE, 0
        ; 2. Put the descriptor's number into the available ring ...
        mov     word [AVAIL + 4], 0
        ; 3. ... and only then say that there is one more. x86 keeps stores in order.
        mov     word [AVAIL + 2], 1
        ; 4. Tell the device. This store is an exit: it runs before the next instruction.
        mov     dword [ebx + QUEUE_NOTIFY], 0
        ; 5. Wait until the device's index has moved.
.wait:  cmp     word [USED + 2], 1
        jne     .wait
; [/entropy]

        movzx   eax, word [USED + 2]
        mov     ecx, [USED + 8]
        print   "used.idx is "
        print_hex eax
        print   ", and "
        print_hex ecx
        print   " bytes came.", 10

        mov     eax, [BUFFER]
        or      eax, [BUFFER + 4]
        or      eax, [BUFFER + 8]
        or      eax, [BUFFER + 12]
        jz      .end
        print   "They are not all zero.", 10
.end:   halt
