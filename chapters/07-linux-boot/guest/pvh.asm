; pvh.asm: a kernel that is entered by PVH. It says what it was told: the command line, the
; module, the first and the last entry of the memory map, where ACPI begins.
; [PVH, "x86/HVM direct boot ABI"; GABI, "Note Section"]

bits 32
BASE  equ 0x1000000
MAGIC equ 0x336ec578

; struct hvm_start_info, and the entries of its lists
MODULES_COUNT equ 12
MODULES       equ 16
CMDLINE       equ 24
RSDP          equ 32
MAP           equ 40
MAP_COUNT     equ 48
MAP_ENTRY     equ 24

org BASE

file:
    db 0x7f, "ELF", 2, 1, 1
    times 9 db 0
    dw 2, 62                            ; an executable for x86-64
    dd 1
    dq 0xffff, headers - file, 0        ; no entry but the note's
    dd 0
    dw 64, 56, 2, 0, 0, 0
headers:
    dd 1, 7                             ; PT_LOAD
    dq 0, BASE, BASE, file_end - file, file_end - file + 0x1000, 0x1000
    dd 4, 4                             ; PT_NOTE
    dq notes - file, notes, notes, notes_end - notes, notes_end - notes, 4

notes:
    dd 5, 3, 6                          ; somebody else's, with padding
    db "else", 0, 0, 0, 0, 1, 2, 3, 0
    dd 4, 4, 18                         ; XEN_ELFNOTE_PHYS32_ENTRY
    db "Xen", 0
    dd entry
notes_end:

%include "say32.inc"

entry:
    mov esp, file_end + 0x1000
    cmp dword [ebx], MAGIC
    jne stop
    mov eax, cr0
    and eax, 0x80000001                 ; paging off, protection on
    say_number "pvh: CR0", eax
    say_text "pvh: command line "
    mov esi, [ebx + CMDLINE]
    call say
    say_text 10
    say_number "pvh: modules", [ebx + MODULES_COUNT]
    cmp dword [ebx + MODULES_COUNT], 0
    je .map
    mov edi, [ebx + MODULES]
    say_number "pvh: bytes", [edi + 8]
    mov edi, [edi]
    say_number "pvh: begin with", [edi]
.map:
    mov edi, [ebx + MAP]
    say_number "pvh: RAM", [edi + 8]
    mov eax, [ebx + MAP_COUNT]
    dec eax
    imul eax, MAP_ENTRY
    add edi, eax
    say_number "pvh: the last is of type", [edi + 16]
    mov edi, [ebx + RSDP]
    say_number "pvh: RSDP", [edi]
    jmp stop

file_end:
