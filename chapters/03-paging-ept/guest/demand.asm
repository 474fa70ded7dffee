; demand.asm: memory that comes into being when it is touched.
;
; The guest promises itself 64 pages at linear 1 GiB and maps none. The first touch
; of each page faults; the handler takes the next free frame, maps it and returns,
; and the processor repeats the instruction as if nothing had happened. Then half
; of the pages are given back and touched once more.
;
; expect: touched 64 pages: 64 faults, each with error code 0x2
; expect: once more: 0 faults
; expect: gave 32 back and touched all: 32 faults
; expect: the sum of what we wrote: 2016

%include "kernel.inc"

PAGES equ 64
PT    equ TABLES + 0x1000

main:   mov     eax, page_fault
        mov     ecx, 14
        call    set_gate
        mov     qword [next_frame], FRAMES
        ; Tables down to the last level exist; their entries are all zero.
        mov     qword [PDPT + 8], TABLES | P | W
        mov     qword [TABLES], PT | P | W

        call    touch
        say     "touched 64 pages: "
        say_number [faults]
        say     " faults, each with error code "
        say_hex [error]
        say     `\n`

        call    touch
        say     "once more: "
        say_number [faults]
        say     ` faults\n`

        call    give_back
        call    touch
        say     "gave 32 back and touched all: "
        say_number [faults]
        say     ` faults\n`

        xor     ecx, ecx
        xor     ebx, ebx
        mov     esi, WINDOW
.sum:   mov     rax, [rsi]
        add     rbx, rax
        add     rsi, 0x1000
        inc     ecx
        cmp     ecx, PAGES
        jb      .sum
        say     "the sum of what we wrote: "
        say_number rbx
        say     `\n`
        hlt

; Writes its number into each page; counts the faults from zero.
touch:  mov     qword [faults], 0
        xor     eax, eax
        mov     edi, WINDOW
.page:  mov     [rdi], rax
        add     rdi, 0x1000
        inc     rax
        cmp     eax, PAGES
        jb      .page
        ret

; [give-back]
; Unmaps every second page. INVLPG, or the processor may go on using what it knows.
give_back:
        mov     edi, WINDOW
        mov     esi, PT
        xor     eax, eax
.page:  mov     [rsi], rax
        invlpg  [rdi]
        add     rdi, 0x2000
        add     rsi, 16
        cmp     esi, PT + 8 * PAGES
        jb      .page
        ret
; [/give-back]

; [page-fault]
; #PF: the address is in CR2, the error code on the stack.
page_fault:
        push    rax
        push    rdi
        mov     rax, [rsp + 16]
        mov     [error], rax
        inc     qword [faults]
        mov     rdi, cr2
        shr     rdi, 12
        and     edi, 511                ; which entry of the last table
        mov     rax, [next_frame]
        add     qword [next_frame], 0x1000
        or      rax, P | W
        lea     rdi, [PT + rdi * 8]
        mov     [rdi], rax
        pop     rdi
        pop     rax
        add     rsp, 8                  ; the error code
        iretq                           ; and the instruction runs again
; [/page-fault]

align 8
next_frame: dq 0
faults:     dq 0
error:      dq 0
