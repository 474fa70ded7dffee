; scribble.asm: writes here and there in memory, for others to see.
;
; One byte in each of some pages between 2 and 3 MiB: a cursor that runs through them,
; and one page that is written in every frame. After each frame, OUT to port 0xea.
;
; expect: 24 frames

%include "kernel.inc"

FROM   equ 0x200000
SIZE   equ 0x100000
FRAMES_TO_DRAW equ 24

main:   mov     edi, FROM
        xor     ecx, ecx
.frame: mov     edx, 8                  ; eight pages further in each frame
.page:  inc     byte [rdi]
        add     edi, 0x1000
        cmp     edi, FROM + SIZE
        jb      .inside
        mov     edi, FROM
.inside:
        dec     edx
        jnz     .page
        inc     byte [FROM + 0x80000]
        out     FRAME_PORT, al
        inc     ecx
        cmp     ecx, FRAMES_TO_DRAW
        jb      .frame
        say     `24 frames\n`
        hlt
