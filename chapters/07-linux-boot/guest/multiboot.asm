; multiboot.asm: a kernel of a few instructions for Multiboot. It says what it was told: its
; command line, its modules with their texts and first letters, and how much memory.
; [MULTIBOOT, 3.1.1 "The layout of Multiboot header", 3.3 "Boot information format"]

bits 32
BASE         equ 0x200000
HEADER_MAGIC equ 0x1badb002
LOADER_MAGIC equ 0x2badb002
FLAGS        equ 0x00010003             ; modules on pages, memory, addresses below

; struct multiboot_info
MEM_LOWER equ 4
MEM_UPPER equ 8
CMDLINE   equ 16
MODS      equ 20
MODS_ADDR equ 24
MMAP_SIZE equ 44

org BASE

    times 64 db 0x90                    ; the header need not come first
header:
    dd HEADER_MAGIC, FLAGS, -(HEADER_MAGIC + FLAGS)
    dd header, BASE, loaded_end, bss_end, entry

%include "say32.inc"

entry:
    mov esp, bss_end
    cmp eax, LOADER_MAGIC
    jne stop
    say_text "multiboot: "
    mov esi, [ebx + CMDLINE]
    call say
    say_text 10
    say_number "multiboot: flags", [ebx]
    say_number "multiboot: KiB low", [ebx + MEM_LOWER]
    say_number "multiboot: KiB high", [ebx + MEM_UPPER]
    say_number "multiboot: map", [ebx + MMAP_SIZE]
    mov ebp, [ebx + MODS]
    mov edi, [ebx + MODS_ADDR]
.module:
    dec ebp
    js stop
    say_text "multiboot: module "
    mov esi, [edi + 8]
    call say
    say_text ": "
    mov eax, [edi]
    test eax, 0xfff                     ; on a page?
    jnz stop
    mov ecx, [edi + 4]
    sub ecx, eax
    mov esi, eax
    mov dx, COM1
    rep outsb                           ; what it is
    say_text 10
    add edi, 16
    jmp .module

loaded_end:
bss_end equ loaded_end + 0x1000
