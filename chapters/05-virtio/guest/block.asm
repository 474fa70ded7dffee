; block.asm: a sector is written, flushed and read back. Each request is a chain of two
; or three descriptors; the disk answers by an interrupt.
;
; expect: The disk has 00000800 sectors.
; expect: written: status 00000000, flushed: status 00000000, read: status 00000000
; expect: This was on the disk.
; expect: past the end: status 00000001

%include "machine.inc"
%include "virtio.inc"

LINE       equ 9
CAPACITY   equ 0x100            ; the first field of the configuration

HEADER     equ 0x30000          ; type 4, reserved 4, sector 8
STATUS_OUT equ 0x30010          ; one byte
SECTOR       equ 0x31000

READ       equ 0
WRITE_OUT  equ 1
FLUSH      equ 4

start:  mov     ebx, DISK
        call    virtio_negotiate
        mov     eax, 0
        call    virtio_queue
        call    pic_init
        handler IRQ_BASE + LINE, disk_interrupt
        outb    0x4d1, 1 << (LINE - 8)  ; the line is level-triggered
        unmask  2
        unmask  LINE
        sti

        mov     eax, [ebx + CAPACITY]
        print   "The disk has "
        print_hex eax
        print   " sectors.", 10

        mov     esi, text
        mov     edi, SECTOR
        mov     ecx, text_end - text
        rep movsb
        mov     eax, WRITE_OUT
        mov     ecx, 7                  ; the sector
        mov     edx, 0                  ; the device reads the data
        call    disk_request
        print   "written: status "
        print_hex eax

        mov     eax, FLUSH
        mov     ecx, 0
        mov     edx, WRITE
        call    disk_request
        print   ", flushed: status "
        print_hex eax

        mov     dword [SECTOR], 0         ; so that what we print was read
        mov     eax, READ
        mov     ecx, 7
        mov     edx, WRITE
        call    disk_request
        print   ", read: status "
        print_hex eax
        print   10
        push    dword SECTOR
        call    print_text

        mov     eax, READ
        mov     ecx, [ebx + CAPACITY]
        mov     edx, WRITE
        call    disk_request
        print   "past the end: status "
        print_hex eax
        print   10
        halt

; EAX = type, ECX = sector, EDX = WRITE if the device fills the data. Status in EAX.
disk_request:
        mov     [HEADER], eax
        mov     dword [HEADER + 4], 0
        mov     [HEADER + 8], ecx
        mov     dword [HEADER + 12], 0
        mov     byte [STATUS_OUT], 0xff

        or      edx, NEXT
        descriptor 0, HEADER, 16, NEXT, 1
        descriptor 1, SECTOR, 512, dx, 2
        descriptor 2, STATUS_OUT, 1, WRITE, 0

        movzx   ecx, word [AVAIL + 2]
        mov     edx, ecx
        and     edx, SIZE - 1
        mov     word [AVAIL + 4 + edx * 2], 0
        inc     ecx
        mov     word [AVAIL + 2], cx
        mov     dword [ebx + QUEUE_NOTIFY], 0
.wait:  cli
        cmp     word [USED + 2], cx
        je      .done
        sti                             ; takes effect behind the next instruction
        hlt
        jmp     .wait
.done:  sti
        movzx   eax, byte [STATUS_OUT]
        ret

disk_interrupt:
        push    eax
        mov     eax, [ebx + INTERRUPTS]
        mov     [ebx + INTERRUPT_ACK], eax
        outb    PIC_2, PIC_EOI
        outb    PIC_1, PIC_EOI
        pop     eax
        interrupt_return

text:   db      "This was on the disk.", 10, 0
text_end:
