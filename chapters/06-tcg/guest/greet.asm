; greet.asm: an ARM program for Linux, byte by byte: no ARM compiler is needed.
;
; nasm knows no ARM instruction, so each is a word with its meaning beside it; the
; assembler only counts and adds. What is here is all that Linux asks of a program: an
; ELF header, one segment, and code that says good-bye itself. Left out: sections,
; symbols, a stack header, a C library.
;
;     build/rarm build/06-tcg/greet.bin
;
; [GABI, 4 "Object Files"]; encodings in [ARM-ARM, A8.8 "Alphabetical list of instructions"]
bits 32
org 0x10000

; [header]
header: db      0x7f, "ELF", 1, 1, 1            ; 32 bits, little-endian, version 1
        times 9 db 0
        dw      2, 40                           ; a program, for the ARM
        dd      1, start, load - header, 0   ; version, entry, where the segments are
        dd      0x05000000                      ; the embedded ABI, version 5
        dw      52, 32, 1, 0, 0, 0              ; one segment, of 32 bytes
load:   dd      1, 0, header, header            ; load from 0 in the file to 0x10000
        dd      end - header, end - header      ; so many bytes, in the file and there
        dd      5, 0x1000                       ; to read and to execute
; [/header]

; [code]
start:  dd      0xe3a00001                      ; mov  r0, #1          standard output
        dd      0xe28f1000 + text - ($ + 8)     ; add  r1, pc, #...    the text
        dd      0xe3a02000 + end - text         ; mov  r2, #...        its length
        dd      0xe3a07004                      ; mov  r7, #4          write
        dd      0xef000000                      ; svc  #0
        dd      0xe3a00000                      ; mov  r0, #0
        dd      0xe3a07001                      ; mov  r7, #1          exit
        dd      0xef000000                      ; svc  #0
text:   db      "Hello from ARM Linux.", 10
end:
; [/code]
