; tiny.asm: the smallest bzImage: it says "tiny" on the serial port and stops. What it takes
; until then is what a VMM takes to start.
;
; A boot loader may enter a bzImage in three places, and VMMs differ: ours takes the
; 64-bit entry, kvmtool and QEMU's firmware the 16-bit one. So all three are here.
; [BOOT, "The Real-Mode Kernel Header", "32-bit Boot Protocol", "64-bit Boot Protocol"]

COM1         equ 0x3f8
LOADED_HIGH  equ 0x01                   ; loadflags: the kernel proper goes to 1 MiB or above
CAN_USE_HEAP equ 0x80
KERNEL_64    equ 0x0001                 ; xloadflags
SECTOR       equ 512
PARAGRAPH    equ 16
PAGE         equ 4096

; The same instructions in all three modes, but for what a jump to itself is.
%macro say_and_stop 0
    mov dx, COM1
    %assign %%i 1
    %rep 5
        %substr %%c `tiny\n` %%i
        mov al, %%c
        out dx, al
        %assign %%i %%i + 1
    %endrep
    cli
%%stop:
    hlt
    jmp %%stop
%endmacro

bits 16
org 0

    times 0x1f1 - ($ - $$) db 0         ; a boot sector that nobody boots
    db 1                                ; setup_sects
    dw 0                                ; root_flags
    dd (kernel_end - kernel) / PARAGRAPH ; syssize
    dw 0, 0xffff, 0                     ; ram_size, vid_mode, root_dev
    dw 0xaa55                           ; boot_flag
    db 0xeb, real_mode - after_jump     ; jump
after_jump:
    db "HdrS"
    dw 0x020f                           ; version
    dd 0                                ; realmode_swtch
    dw 0, 0                             ; start_sys_seg, kernel_version
    db 0, LOADED_HIGH | CAN_USE_HEAP    ; type_of_loader, loadflags
    dw 0                                ; setup_move_size
    dd 0x100000                         ; code32_start
    dd 0, 0, 0                          ; ramdisk_image, ramdisk_size, bootsect_kludge
    dw 0xfe00, 0                        ; heap_end_ptr, ext_loader
    dd 0                                ; cmd_line_ptr
    dd 0x7fffffff                       ; initrd_addr_max
    dd 0x200000                         ; kernel_alignment
    db 1, 21                            ; relocatable_kernel, min_alignment
    dw KERNEL_64                        ; xloadflags
    dd 2047                             ; cmdline_size
    dd 0                                ; hardware_subarch
    dq 0                                ; hardware_subarch_data
    dd 0, 0                             ; payload_offset, payload_length
    dq 0                                ; setup_data
    dq 0x1000000                        ; pref_address
    dd 0x10000, 0                       ; init_size, handover_offset
    dd 0                                ; kernel_info_offset

real_mode:
    say_and_stop
    times 2 * SECTOR - ($ - $$) db 0

bits 32
kernel:
    say_and_stop
    times 0x200 - ($ - kernel) db 0

bits 64
    say_and_stop
    align PAGE, db 0                    ; kvmtool reads this much before it looks
kernel_end:
