; pci_edges.asm: a base address register in places where it should not be.
;
; expect: over RAM: RAM answers, 12345678
; expect: behind RAM: 544d4401
; expect: half RAM, half device: ffffabcd
; expect: written across: RAM has 00005566
; expect: moved 00002710 times: 544d4401
; expect: not decoded: ffffffff

%include "machine.inc"
%include "pci.inc"
%include "dma_timer.inc"

IN_RAM  equ 0x300000
END     equ 0x1000000           ; the first address that is not RAM
MOVES   equ 10000

start:  call    dma_timer_find
        call    dma_timer_place

        mov     dword [IN_RAM], 0x12345678
        mov     eax, IN_RAM
        call    place
        mov     dword [IN_RAM + DOORBELL], 1 ; a store to RAM: no doorbell rings
        print   "over RAM: RAM answers, "
        print_hex dword [IN_RAM]
        print   10

        mov     eax, END
        call    place
        print   "behind RAM: "
        print_hex dword [END]
        print   10
        mov     word [END - 2], 0xabcd
        print   "half RAM, half device: "
        print_hex dword [END - 2]       ; the device does not answer 2 bytes
        print   10
        mov     dword [END - 2], 0x33445566
        print   "written across: RAM has "
        movzx   eax, word [END - 2]
        print_hex eax
        print   10

        mov     esi, MOVES              ; back and forth, and used at each stop
.move:  mov     eax, esi
        and     eax, 1
        shl     eax, 13
        lea     eax, [eax + WINDOW]
        mov     edi, eax
        call    place
        cmp     dword [edi], 0x544d4401
        jne     .lost
        xor     edi, 1 << 13            ; and where it was there is nothing
        cmp     dword [edi], 0xffffffff
        jne     .lost
        dec     esi
        jnz     .move
        print   "moved "
        print_hex MOVES
        print   " times: "
        xor     edi, 1 << 13
        print_hex dword [edi]
        print   10

        mov     ecx, PCI_COMMAND
        xor     eax, eax
        call    pci_write
        print   "not decoded: "
        print_hex dword [edi]
        print   10
        halt
.lost:  print   "lost at "
        print_hex edi
        print   10
        halt

place:  mov     ecx, PCI_BAR_0
        jmp     pci_write
