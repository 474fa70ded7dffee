; console.asm: a line in two pieces, and ten more through a ring of eight.
;
; args: --trace-ring
; expect: Two pieces, one line.
; expect: Line 00000000 went round the ring.
; expect: Line 00000001 went round the ring.
; expect: Line 00000002 went round the ring.
; expect: Line 00000003 went round the ring.
; expect: Line 00000004 went round the ring.
; expect: Line 00000005 went round the ring.
; expect: Line 00000006 went round the ring.
; expect: Line 00000007 went round the ring.
; expect: Line 00000008 went round the ring.
; expect: Line 00000009 went round the ring.
; expect-error: console 1 takes     id 2, place 1
; expect-error: console 1 shows     used index 11, interrupt

%include "machine.inc"
%include "virtio.inc"

TRANSMIT equ 1                  ; port 0's queue to the host
LINES    equ 10

start:  mov     ebx, CONSOLE
        call    virtio_negotiate
        mov     eax, TRANSMIT
        call    virtio_queue

        ; One chain of two descriptors is one string of bytes.
        descriptor 0, first, first_end - first, NEXT, 1
        descriptor 1, second, second_end - second, 0, 0
        mov     word [AVAIL + 4], 0
        mov     word [AVAIL + 2], 1
        mov     dword [ebx + QUEUE_NOTIFY], TRANSMIT
.wait:  cmp     word [USED + 2], 1
        jne     .wait

; [round]
        ; The indices count on for ever; a place in the ring is an index modulo SIZE.
        mov     ecx, 0
        descriptor 2, line, line_end - line, 0, 0
.line:  call    number_the_line
        movzx   eax, word [AVAIL + 2]
        mov     edx, eax
        and     edx, SIZE - 1
        mov     word [AVAIL + 4 + edx * 2], 2
        inc     eax
        mov     word [AVAIL + 2], ax
        mov     dword [ebx + QUEUE_NOTIFY], TRANSMIT
.used:  cmp     word [USED + 2], ax
        jne     .used
        inc     ecx
        cmp     ecx, LINES
        jb      .line
; [/round]
        halt

; Writes ECX into the text, in eight hexadecimal digits.
number_the_line:
        pushad
        mov     edi, digits
        mov     edx, ecx
        mov     ecx, 8
.digit: rol     edx, 4
        mov     al, dl
        and     al, 15
        add     al, '0'
        cmp     al, '9'
        jbe     .store
        add     al, 'a' - '0' - 10
.store: stosb
        loop    .digit
        popad
        ret

first:  db      "Two pieces, "
first_end:
second: db      "one line.", 10
second_end:
line:   db      "Line "
digits: db      "00000000 went round the ring.", 10
line_end:
