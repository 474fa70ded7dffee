; nested.asm: a guest that would be a hypervisor itself.
;
; There is no second floor: the CPUID bits are cleared, CR4.VMXE and EFER.SVME are 0,
; and so both makers' ways in are #UD, as on a processor that has neither.
;
; expect: vmxon: #UD, error code 0x0, in ring 0
; expect: vmrun: #UD, error code 0x0, in ring 0
; expect: vmcall or vmmcall, number 0x1234: -1000
; expect: The kernel is still here.

%include "kernel.inc"

kernel_main:
        try     "vmxon", vmxon [zero]
        mov     eax, 0x1000
        try     "vmrun", vmrun
        lea     rsi, [by_instruction]
        call    print
        xor     eax, eax
        cpuid
; [vmcall]
        mov     eax, 0x1234             ; the number; arguments go in RBX, RCX, RDX, RSI
        xor     ebx, ebx
        cmp     ecx, 'cAMD'             ; the end of "AuthenticAMD"
        je      .amd
        vmcall
        jmp     .done
.amd:   vmmcall
.done:  cmp     rax, -1000              ; -KVM_ENOSYS: nobody knows this number
; [/vmcall]
        lea     rsi, [unknown]
        je      .say
        lea     rsi, [other_answer]
.say:   call    print
        lea     rsi, [still_here]
        call    print
        hlt

program_ended: hlt
by_instruction: db "vmcall or vmmcall, number 0x1234: ", 0
unknown:        db "-1000", 10, 0
other_answer:   db "something else", 10, 0
still_here:     db "The kernel is still here.", 10, 0
zero:           dq 0
user:
user_end:
