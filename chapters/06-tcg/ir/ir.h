/*
 * ir.h: the intermediate representation, one block of guest code between ARM and x86.
 *
 * Neither ARM nor x86: few operations, each simple enough that its meaning fits on
 * one line below. An instruction defines at most one value, exactly once, and the
 * value is named by the instruction's index. That is SSA without its hard half,
 * since a block has no joins that a value crosses.
 *
 *     0  insn   0x8000
 *     1  get    r1              v1 is what r1 holds now, whatever r1 becomes later
 *     2  const  0x4
 *     3  sub    v1, v2  !nzcv   also sets the four flags, as SUBS does
 *     4  set    r1, v3
 *     5  exit_if ne, 0x8000     a side exit: the block may end here
 *     6  exit   0x8008
 *
 * What outlives a block are the *globals*: the guest's registers and flags. GET and
 * SET move between globals and values. At every LOAD, STORE and exit the globals are
 * exactly what the guest would see there, because such an instruction can be the
 * last one of the block that happens: a fault needs nothing undone.
 *
 * Control flow inside a block only skips forward: SKIP .. LABEL encloses what happens
 * under a condition. Regions do not nest (a second SKIP leads to the same LABEL), and a
 * value defined before a LABEL is not used after it. So nobody ever has to merge two
 * histories of one value.
 *
 * Values have 32 bits; those marked (64) below have 64. Conditions are ARM's, by
 * number, and read the flags. [ARM-ARM, A8.3 "Conditional execution"]
 */
#ifndef TCG_IR_IR_H
#define TCG_IR_IR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The globals. r15 is none: within a block its value is known. */
enum ir_global {
    IR_R0 = 0,
    IR_SP = 13,
    IR_LR = 14,
    IR_N = 15, /* flags hold 0 or 1 */
    IR_Z,
    IR_C,
    IR_V,
    IR_GLOBALS
};

/* Sets of flags, in ir_insn.flags and wherever flags are counted as live. */
#define IR_FLAG_N    0x01u
#define IR_FLAG_Z    0x02u
#define IR_FLAG_C    0x04u
#define IR_FLAG_V    0x08u
#define IR_FLAG_Q    0x10u /* sticky: set if the sum overflows, else left alone */
#define IR_FLAGS_NZ  (IR_FLAG_N | IR_FLAG_Z)
#define IR_FLAGS_ALL (IR_FLAG_N | IR_FLAG_Z | IR_FLAG_C | IR_FLAG_V)

/* The flag of global IR_N .. IR_V. */
#define IR_FLAG_OF(global) (1u << ((global)-IR_N))

enum ir_op {
    /* Up to GET, no operands: passes skip what does not concern them by "op <= IR_...". */
    IR_NOP,
    IR_INSN,   /* here begins the guest instruction at imm */
    IR_UNSEEN, /* was a SET; the global is SET again before anybody looks */
    IR_CONST,  /* imm */
    IR_GET,    /* global */
    IR_SET,    /* global = a */

    /*
     * These may set flags: N and Z from the result, C and V as ARM defines them. They
     * set N and Z, or all four, or none; LSL, LSR and ASR by a constant of 1 to 31 may
     * set N, Z and C, or C.
     */
    IR_ADD, /* a + b; without flags a + (b << scale) */
    IR_ADC, /* a + b + c, c is 0 or 1; IR_NONE: the flag C, which is in the host's flags */
    IR_SUB, /* a - b; C is "no borrow" */
    IR_SBC, /* a - b - !c */
    IR_AND, /* a & b; sets N and Z at most */
    IR_OR,  /* a | b */
    IR_XOR, /* a ^ b */

    IR_NOT, /* ~a */
    IR_RRX, /* a >> 1 with b, 0 or 1, at the top; b may be IR_NONE like c of ADC */
    /* Shifts count by the low byte of b, 0..255, as ARM's register shifts do. */
    IR_LSL,
    IR_LSR,
    IR_ASR,
    IR_ROR,
    /* The carry that shift leaves; c, the old carry, if it does not shift at all. */
    IR_CARRY_LSL,
    IR_CARRY_LSR,
    IR_CARRY_ASR,
    IR_CARRY_ROR,

    IR_MUL,   /* a * b */
    IR_UMULL, /* (64) a * b, unsigned */
    IR_SMULL, /* (64) a * b, signed */
    IR_PAIR,  /* (64) a is the low half, b the high one */
    IR_ADD64, /* (64) a + b, both (64) */
    IR_LOW,   /* the low half of a, which is (64) */
    IR_HIGH,  /* the high half of a */

    IR_SEXT8, /* the low byte of a, sign-extended */
    IR_SEXT16,
    IR_ZEXT8,
    IR_ZEXT16,
    IR_CLZ,   /* leading zeros; 32 for 0 */
    IR_BSWAP, /* the bytes of a in reverse order */
    IR_EQZ,   /* a == 0 */

    /*
     * Bits of a quotient, the highest first, as the pencil finds them: for n = last + steps - 1
     * down to last, is a, less what was subtracted before, at least b << n? If so, subtract it.
     * (All modulo 2^32.) c is a constant, steps << 8 | last; steps + last is at most 32.
     */
    IR_QUOTIENT,
    IR_SELECT, /* a if cond, else b */
    IR_THREAD, /* the thread's own word, which a system call sets */

    /* The address is a + (b << scale) + imm modulo 2^32; b may be IR_NONE. */
    IR_LOAD,  /* size bytes; extended by sign or by zeros */
    IR_STORE, /* c's low size bytes */

    /* At once for all threads: if the word at a is b, it becomes c. Its value: was it? 0, 1 */
    IR_CMPXCHG,
    IR_FENCE, /* accesses before it come before accesses behind it, for all threads */

    /* Leave the guest instruction at imm to the interpreter if a is no multiple of 4. */
    IR_ALIGNED,

    IR_SKIP,  /* go on at the next LABEL unless cond */
    IR_LABEL, /* where a SKIP ends */

    /* Exits. A target is a key: a guest address, plus 1 if it is Thumb code. */
    IR_EXIT_IF,   /* to imm if cond */
    IR_EXIT,      /* to imm */
    IR_JUMP,      /* to a */
    IR_INTERPRET, /* leave the guest instruction at imm to the interpreter */

    IR_OPS
};

typedef uint16_t ir_value; /* the index of the instruction that defines it */

#define IR_MAX   1024   /* instructions of a block */
#define IR_NONE  IR_MAX /* no value: the operands that an instruction does not have */
#define IR_GUEST 64     /* guest instructions of a block, at most */

struct ir_insn {
    uint8_t op;      /* enum ir_op */
    uint8_t flags;   /* which flags it sets; once optimized, which somebody reads */
    uint8_t global;  /* GET, SET */
    uint8_t cond;    /* SELECT, SKIP, EXIT_IF: 0..13 */
    uint8_t size;    /* LOAD, STORE: 1, 2 or 4 */
    uint8_t scale;   /* ADD, LOAD, STORE: 0..3 */
    bool sign;       /* LOAD */
    bool fused;      /* the condition is still in the host's flags: see ir_fuse() */
    bool quiet;      /* computes between the two, where those flags must stay as they are */
    uint8_t lazy;    /* of flags: those that nobody reads, though a fault may show them */
    uint8_t compare; /* a condition that repeats its comparison: IR_SUB or IR_AND, or NOP */
    uint8_t sets;    /* once optimized: flags it sets, used or not; where the way forks, ends
                        or joins another: those used there */
    bool deferred;   /* lazy flags that are not even written down: see ir_defer() */
    uint8_t saved;   /* but for these operands, IR_SAVED_..., which no register keeps */
    bool behind;     /* EXIT_IF: pending flags are written down behind it, if it is not taken */
    uint8_t pending; /* 1 + number of the recipe for flags that are shown here; 0: none */
    ir_value a, b, c;
    ir_value left, right; /* what is compared, if compare says so */
    uint32_t imm;
};

/*
 * How to compute flags from the guest's registers: left op right, where left is a
 * register plus a constant, and right one of the two. IR_AND: N and Z of left. If undo is 1,
 * left names the result: what was on the left is found from that and right.
 */
struct ir_recipe {
    uint8_t op;          /* IR_ADD, IR_SUB, IR_AND */
    uint8_t left, right; /* globals, IR_NO_GLOBAL or IR_IN_MEMORY */
    uint8_t lazy;        /* the flags */
    uint32_t left_const, right_const;
    uint32_t undo;
};

#define IR_NO_GLOBAL   0xff
#define IR_IN_MEMORY   0xfe /* where the operands of lazy flags are */

#define IR_SAVED_LEFT  0x01u
#define IR_SAVED_RIGHT 0x02u

struct ir_block {
    uint32_t start; /* key of the first guest instruction */
    uint32_t end;   /* address after the last one */
    unsigned count, recipes;
    bool inherits; /* recipe[0] is good where the block begins: see ir_inherit() */
    struct ir_recipe recipe[IR_GUEST];
    struct ir_insn insns[IR_MAX];
};

void ir_begin(struct ir_block *block, uint32_t start);

/*
 * For a block that is only entered with flags as the recipe says: as if an instruction
 * before the first one had set them. NULL: nothing is known.
 */
void ir_inherit(struct ir_block *block, const struct ir_recipe *recipe);

/* Appends; returns the value. The caller ends the block before IR_MAX is reached. */
ir_value ir_append(struct ir_block *block, struct ir_insn insn);

/* The shapes that lifting needs over and over. */
ir_value ir_const(struct ir_block *block, uint32_t value);
ir_value ir_get(struct ir_block *block, enum ir_global global);
void ir_set(struct ir_block *block, enum ir_global global, ir_value a);
ir_value ir_unary(struct ir_block *block, enum ir_op op, ir_value a);
ir_value ir_binary(struct ir_block *block, enum ir_op op, ir_value a, ir_value b);

/*
 * Changes the order of instructions from .. from + count: those marked in first[] come first.
 * All operands of the block follow.
 */
#define IR_REORDER 48 /* count, at most */
void ir_reorder(struct ir_block *block, unsigned from, unsigned count, const bool *first);

/* What an operation is like. */
bool ir_is_pure(enum ir_op op);      /* its value is all it does, if it sets no flags */
unsigned ir_flags_of(enum ir_op op); /* the flags it can set */

/* Can it be computed with the host's flags as they are, if it is told to be quiet? */
bool ir_can_be_quiet(const struct ir_block *block, const struct ir_insn *insn);

/* Does it leave the host's flags as they are? known: flags of the guest that they hold. */
bool ir_keeps_host_flags(const struct ir_block *block, const struct ir_insn *insn, unsigned known);

/* The flags that condition 0..13 reads. */
unsigned ir_cond_flags(unsigned cond);

/* Does the condition hold, given flags of 0 or 1? */
bool ir_cond_holds(unsigned cond, bool n, bool z, bool c, bool v);

/*
 * NULL, or what is wrong with the block: an operand that is no value or not yet
 * defined or lies behind a LABEL, a SKIP without LABEL, a missing last exit.
 */
const char *ir_check(const struct ir_block *block);

/* One instruction, or all that are not NOP, one a line. */
void ir_print_insn(FILE *file, const struct ir_block *block, unsigned index);
void ir_print(FILE *file, const struct ir_block *block);

#endif
