; offmap.asm: a store where there is no memory.
;
; The VMM gave us 64 KiB. A real-mode segment of 0xf000 reaches 0xf0000, where
; nothing answers. KVM cannot know whether a device lives there, so it asks the
; VMM: KVM_EXIT_MMIO. Chapter 4 puts devices at such addresses.
;
; status: 4
; expect-error: wrote 2 bytes to 0xf0010

[bits 16]
[org 0x1000]

        mov     ax, 0xf000
        mov     ds, ax
        mov     word [0x10], 0x1234
        hlt
