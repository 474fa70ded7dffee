; hello.asm: the smallest ARM program that can be heard.
;
; No assembler for ARM is needed to build it: each word is an instruction, as the
; processor sees it, and the comment is what the disassembler makes of it (a test
; compares them). It begins at 0x10000 with nothing but a processor, memory, and a
; PL011 at 0x101f1000: data register at 0, flags at 0x18, of which 0x20 is "cannot
; send now".
;
; expect: Hello from an ARM that is not there.

[bits 32]

; [hello]
start:  dd      0xe59f002c       ; ldr r0, [pc, #44]
        dd      0xe28f1030       ; add r1, pc, #48
next:   dd      0xe4d12001       ; ldrb r2, [r1], #1
        dd      0xe3520000       ; cmp r2, #0
        dd      0x0a000004       ; beq 0x10028
busy:   dd      0xe5903018       ; ldr r3, [r0, #24]
        dd      0xe3130020       ; tst r3, #32
        dd      0x1afffffc       ; bne 0x10014
        dd      0xe5802000       ; str r2, [r0]
        dd      0xeafffff7       ; b 0x10008
end:    dd      0xe3a00018       ; mov r0, #24
        dd      0xe59f1004       ; ldr r1, [pc, #4]
        dd      0xef123456       ; svc 0x00123456
uart:   dd      0x101f1000
reason: dd      0x20026          ; the program is finished: ADP_Stopped_ApplicationExit
text:   db      "Hello from an ARM that is not there.", 10, 0
; [/hello]
