; ticks.asm: five ticks of a timer, waited for by looking.
;
; Timer 0 of the SP804 at 0x101e2000 counts 50,000 microseconds down, again and again:
; CONTROL is enable, periodic, 32 bits (0xc2). RIS at 0x10 says that it came to zero;
; a write to INTCLR at 0x0c forgets it. The instructions are words, as in hello.asm.
;
; expect: tick 1
; expect: tick 2
; expect: tick 3
; expect: tick 4
; expect: tick 5

[bits 32]

start:  dd      0xe59f4058       ; ldr r4, [pc, #88]
        dd      0xe59f5058       ; ldr r5, [pc, #88]
        dd      0xe59f005c       ; ldr r0, [pc, #92]
        dd      0xe5840000       ; str r0, [r4]
        dd      0xe3a000c2       ; mov r0, #194
        dd      0xe5840008       ; str r0, [r4, #8]
        dd      0xe3a06031       ; mov r6, #49
again:  dd      0xe5940010       ; ldr r0, [r4, #16]
        dd      0xe3500000       ; cmp r0, #0
        dd      0x0afffffc       ; beq 0x1001c
        dd      0xe584000c       ; str r0, [r4, #12]
        dd      0xe28f103c       ; add r1, pc, #60
next:   dd      0xe4d12001       ; ldrb r2, [r1], #1
        dd      0xe3520023       ; cmp r2, #35
        dd      0x01a02006       ; moveq r2, r6
        dd      0xe3520000       ; cmp r2, #0
        dd      0x15852000       ; strne r2, [r5]
        dd      0x1afffff9       ; bne 0x10030
        dd      0xe2866001       ; add r6, r6, #1
        dd      0xe3560035       ; cmp r6, #53
        dd      0x9afffff1       ; bls 0x1001c
        dd      0xe3a00018       ; mov r0, #24
        dd      0xe59f1008       ; ldr r1, [pc, #8]
        dd      0xef123456       ; svc 0x00123456
timer:  dd      0x101e2000
uart:   dd      0x101f1000
reason: dd      0x20026          ; the program is finished: ADP_Stopped_ApplicationExit
period: dd      50000
text:   db      "tick #", 10, 0
