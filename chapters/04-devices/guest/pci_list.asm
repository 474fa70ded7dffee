; pci_list.asm: who is on the bus? Asks each of the 32 slots for its name, and those
; that answer what they are and how much address space they want.
;
; expect: slot 00000000: device and vendor 12378086, class and revision 06000002
; expect: slot 00000001: device and vendor 10f01af4, class and revision 08800001
; expect:   BAR 00000000: 00002000 bytes
; expect:   capability 00000005
; expect: 00000002 functions

%include "machine.inc"
%include "pci.inc"

start:  xor     ebx, ebx
.slot:  mov     ecx, PCI_ID
        call    pci_read
        cmp     ax, 0xffff              ; no such vendor: nobody has answered
        je      .next
        inc     dword [functions]
        print   "slot "
        print_hex ebx
        print   ": device and vendor "
        print_hex eax
        print   ", class and revision "
        mov     ecx, PCI_CLASS
        call    pci_read
        print_hex eax
        print   10
        call    list_bars
        call    list_capabilities
.next:  inc     ebx
        cmp     ebx, 32
        jb      .slot
        print_hex dword [functions]
        print   " functions", 10
        halt

list_bars:
        xor     esi, esi
.bar:   lea     ecx, [PCI_BAR_0 + esi * 4]
        call    pci_bar_size
        test    eax, eax
        jz      .next
        print   "  BAR "
        print_hex esi
        print   ": "
        print_hex eax
        print   " bytes", 10
.next:  inc     esi
        cmp     esi, 6
        jb      .bar
        ret

list_capabilities:
        mov     ecx, PCI_CAPABILITY
        call    pci_read
.next:  movzx   ecx, al
        jecxz   .done
        call    pci_read
        movzx   edx, al
        print   "  capability "
        print_hex edx
        print   10
        mov     al, ah
        jmp     .next
.done:  ret

functions: dd   0
