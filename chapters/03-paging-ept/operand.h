/*
 * operand.h: which memory does the next instruction touch?
 *
 * A decoder for the few instructions that this chapter's guests use on memory, in
 * 64-bit mode: MOV, INC, arithmetic, string moves, PUSH, POP, CALL, RET, IRETQ,
 * INVLPG and MOV to CR3. It says what is touched and where; it does not execute.
 */
#ifndef CHAPTER_03_OPERAND_H
#define CHAPTER_03_OPERAND_H

#include <linux/kvm.h>
#include <stdint.h>

#define OPERAND_TOUCHES_MAX 2u

enum operand_kind {
    OPERAND_PLAIN,  /* touches only memory, or nothing */
    OPERAND_INVLPG, /* address in touches[0] */
    OPERAND_IRET,   /* IRETQ: its frame in touches[0] */
    OPERAND_HLT,
    OPERAND_CR3,     /* MOV to CR3: the new value in touches[0].address */
    OPERAND_UNKNOWN, /* an instruction this decoder does not know */
};

struct touch {
    uint64_t address;
    unsigned size;   /* bytes; 0: this touch is not used */
    unsigned access; /* WALK_READ or WALK_WRITE */
};

struct operand {
    enum operand_kind kind;
    struct touch touches[OPERAND_TOUCHES_MAX];
};

/* code holds at least 15 bytes (zeros will do beyond the end of memory). */
struct operand operand_of(const uint8_t *code, const struct kvm_regs *regs);

#endif
