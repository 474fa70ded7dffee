; cow.asm: copy on write, the trick behind fork().
;
; Two address spaces begin with the same eight frames, read-only in both. Whoever
; writes first faults with error code 3 (present, write); the handler copies the
; page and maps the copy, writable, in the writer's space alone.
;
; expect: 2 address spaces share 8 frames
; expect: the child writes 3 pages: 3 copies, error code 0x3
; expect: the parent still reads 100, the child 207
; expect: the parent writes 2 pages: 2 copies
; expect: the child still reads 207

%include "kernel.inc"

PAGES       equ 8
PARENT_PT   equ TABLES + 0x1000         ; TABLES is the parent's PD
CHILD_PML4  equ TABLES + 0x2000
CHILD_PDPT  equ TABLES + 0x3000
CHILD_PD    equ TABLES + 0x4000
CHILD_PT    equ TABLES + 0x5000

main:   mov     eax, page_fault
        mov     ecx, 14
        call    set_gate
        mov     qword [next_frame], FRAMES + PAGES * 0x1000
        mov     qword [PDPT + 8], TABLES | P | W
        mov     qword [TABLES], PARENT_PT | P | W
        ; The child's tables: the kernel's part is shared, the window is its own.
        mov     qword [CHILD_PML4], CHILD_PDPT | P | W
        mov     rax, [PDPT]
        mov     [CHILD_PDPT], rax
        mov     qword [CHILD_PDPT + 8], CHILD_PD | P | W
        mov     qword [CHILD_PD], CHILD_PT | P | W

        xor     ecx, ecx
        mov     eax, FRAMES
.share: mov     qword [rax], 100        ; what the page holds
        lea     rdx, [rax + P]          ; present, not writable
        mov     [PARENT_PT + rcx * 8], rdx
        mov     [CHILD_PT + rcx * 8], rdx
        add     eax, 0x1000
        inc     ecx
        cmp     ecx, PAGES
        jb      .share
        say     `2 address spaces share 8 frames\n`

        mov     eax, CHILD_PML4
        mov     ebp, CHILD_PT
        mov     ebx, 207
        mov     ecx, 3
        call    write_as
        say     "the child writes 3 pages: "
        say_number [copies]
        say     " copies, error code "
        say_hex [error]
        say     `\n`

        mov     eax, PML4
        mov     cr3, rax
        say     "the parent still reads "
        mov     esi, WINDOW
        mov     rax, [rsi]
        call    print_number
        mov     eax, CHILD_PML4
        mov     cr3, rax
        say     ", the child "
        mov     esi, WINDOW
        mov     rax, [rsi]
        call    print_number
        say     `\n`

        mov     eax, PML4
        mov     ebp, PARENT_PT
        mov     ebx, 101
        mov     ecx, 2
        call    write_as
        say     "the parent writes 2 pages: "
        say_number [copies]
        say     ` copies\n`
        mov     eax, CHILD_PML4
        mov     cr3, rax
        say     "the child still reads "
        mov     esi, WINDOW
        mov     rax, [rsi]
        call    print_number
        say     `\n`
        hlt

; In the space with PML4 RAX and page table RBP, writes RBX to the first RCX pages.
write_as:
        mov     cr3, rax
        mov     [table], rbp
        mov     qword [copies], 0
        mov     rax, rbx
        mov     edi, WINDOW
.page:  mov     [rdi], rax
        add     rdi, 0x1000
        dec     ecx
        jnz     .page
        ret

; [copy]
page_fault:
        push    rax
        push    rcx
        push    rsi
        push    rdi
        mov     rax, [rsp + 32]
        mov     [error], rax
        inc     qword [copies]
        mov     rax, cr2
        mov     rsi, rax
        and     rsi, -0x1000            ; from the page, as we can read it
        mov     rdi, [next_frame]       ; to a frame, through the identity map
        mov     ecx, 512
        rep movsq
        shr     eax, 12
        and     eax, 511
        shl     eax, 3
        add     rax, [table]
        mov     rdi, rax
        mov     rax, [next_frame]
        or      rax, P | W
        mov     [rdi], rax
        add     qword [next_frame], 0x1000
        mov     rdi, cr2
        invlpg  [rdi]
        pop     rdi
        pop     rsi
        pop     rcx
        pop     rax
        add     rsp, 8
        iretq
; [/copy]

align 8
next_frame: dq 0
table:      dq 0
copies:     dq 0
error:      dq 0
