; dma_msi.asm: the same device, with messages: no PIC, no line, no sharing. It needs a
; local APIC, so KVM's interrupt chips.
;
; expect: message 00000050: cause 00000001
; expect: message 00000050: cause 00000002
; expect: a masked message waits
; expect: message 00000050: cause 00000001

%include "machine.inc"
%include "pci.inc"
%include "dma_timer.inc"

VECTOR    equ 0x50
APIC_EOI  equ 0xfee000b0        ; [SDM3, 10.4.1 "The Local APIC Block Diagram"]
APIC_SVR  equ 0xfee000f0
SVR_ENABLE equ 0x100

MSI_FLAGS   equ 2
MSI_ADDRESS equ 4
MSI_DATA    equ 12
MSI_MASK    equ 16
MSI_PENDING equ 20
MSI_ENABLE  equ 1 << 16         ; in the 4 bytes that begin with the id

start:  call    dma_timer_find
        call    dma_timer_place
        handler VECTOR, interrupt
        mov     dword [APIC_SVR], SVR_ENABLE | 0xff

; [message]
        mov     dl, CAP_MSI
        call    pci_capability
        mov     edi, ecx
        lea     ecx, [edi + MSI_ADDRESS]
        mov     eax, 0xfee00000         ; the local APIC with id 0
        call    pci_write
        lea     ecx, [edi + MSI_DATA]
        mov     eax, VECTOR             ; delivery mode 0, edge: just the vector
        call    pci_write
        mov     ecx, edi
        mov     eax, MSI_ENABLE
        call    pci_write
; [/message]
        mov     dword [WINDOW + REG_ENABLE], CAUSE_COPIED | CAUSE_FAILED
        sti
        mov     [msi], edi

        mov     esi, SOURCE
        mov     edi, TARGET
        mov     ecx, 512
        call    dma_copy
        call    report
        mov     ecx, 0                  ; a copy of nothing is an error
        call    dma_copy
        call    report

        mov     edi, [msi]              ; hold the message back, have it sent, let it go
        lea     ecx, [edi + MSI_MASK]
        mov     eax, 1
        call    pci_write
        mov     dword [causes], 0
        mov     dword [descriptor + 16], 512
        mov     dword [WINDOW + DOORBELL], 1
        lea     ecx, [edi + MSI_PENDING]
.wait:  call    pci_read                ; the copy may take its time
        cmp     eax, 1
        jne     .wait
        cmp     dword [causes], 0
        jne     .end
        print   "a masked message waits", 10
        cli
        lea     ecx, [edi + MSI_MASK]
        xor     eax, eax
        call    pci_write
        sti
        hlt
        call    report
.end:   halt

report: print   "message "
        print_hex VECTOR
        print   ": cause "
        print_hex dword [causes]
        print   10
        ret

; A message is an event, not a level: nothing to lower, and nobody else to ask.
interrupt:
        push    eax
        mov     eax, [WINDOW + REG_CAUSE]
        or      [causes], eax
        mov     [WINDOW + REG_CAUSE], eax
        mov     dword [APIC_EOI], 0
        pop     eax
        interrupt_return

msi:    dd      0
