/*
 * generate.h: from a block of IR to x86-64 code.
 *
 * The code of a block, as it lies in the cache:
 *
 *   entry    cmp       is the key in eax this block's?  \ for indirect jumps;
 *            jne miss                                   / chained exits lead behind them
 *   body     ...       the guest's instructions
 *            jmp stub  a direct exit: chained later by changing its displacement
 *   stub     mov eax, key; mov edx, status; jmp leave
 *
 * An indirect jump ends in a look into the jump table. Before it there may be an inline
 * cache: until it is taken the first time, a jump to its stub (the key is in eax already);
 * from then on a comparison with the key that came:
 *
 *            jmp stub       ->      cmp eax, key
 *            je stub        ->      je body
 *
 * A stub leaves emitted code with the key to go on at. Whoever runs the code finds
 * the key's block, and if the exit is a direct one, makes it jump there next time.
 */
#ifndef TCG_X86_GENERATE_H
#define TCG_X86_GENERATE_H

#include "06-tcg/ir/ir.h"
#include "06-tcg/x86/encode.h"
#include "06-tcg/x86/frame.h"

#define GENERATE_EXITS (IR_GUEST * 4 + 2) /* direct exits of a block, at most */

/* The jump table: 2^bits pointers to entries, by key. */
#define JUMP_TABLE_BITS 16
#define JUMP_TABLE_SIZE (1u << JUMP_TABLE_BITS)

static inline unsigned jump_table_index(uint32_t key)
{
    return key >> 2 & (JUMP_TABLE_SIZE - 1);
}

/*
 * A direct exit. All offsets are in code->bytes.
 *
 * One with pending flags has two ways out. The first is a detour, which writes the flags
 * down, and leads to any block. The second, which follows it in struct generated, is
 * straight; it may be chained to a block that inherits the recipe. Until then it leads
 * to the detour.
 */
struct exit_site {
    uint32_t key;            /* where the guest goes on */
    uint32_t jump;           /* the displacement to patch; never across an 8-byte boundary */
    uint32_t stub;           /* what it leads to while it is not chained */
    uint32_t compare;        /* of an inline cache: the five bytes that will compare; or 0 */
    struct ir_recipe recipe; /* of a straight way; lazy is 0: it is none */
};

/* The code of guest instruction `guest` begins at `host`. */
struct code_map {
    uint32_t host;
    uint32_t guest;
    struct ir_recipe recipe; /* of flags that a fault shows; lazy is 0: none */
};

struct generated {
    uint32_t entry;
    uint32_t body; /* entry, less the look at the key */
    uint32_t end;
    unsigned exits, maps;
    struct exit_site exit[GENERATE_EXITS];
    struct code_map map[IR_GUEST];
};

struct generate_options {
    const struct x86_pins *pins;
    uint32_t first_exit; /* number of this block's first exit, for FRAME_EXIT */
    uint64_t *counter;   /* counts executions if not NULL */
    const struct trampolines *code;
    bool no_inheriting; /* no straight ways */
    bool no_placing;    /* loops lie where they fall */
    bool bmi;           /* the host has BMI2 */
    bool looks;         /* each block looks at cpu->interrupt */
    bool caches;        /* indirect jumps have inline caches */
};

/*
 * Appends the code of block to code. False: it needs more registers and slots than
 * there are, or does not fit; code->size is as before, or code->overflow is set.
 */
bool generate(struct x86_code *code, const struct ir_block *block,
              const struct generate_options *options, struct generated *out);

/* After a fault, for the recipe of its code_map: the flags that emitted code left undone. */
void generate_flags(struct arm_cpu *cpu, const struct ir_recipe *recipe);

/* The code around blocks. All are offsets in code->bytes. */
struct trampolines {
    size_t enter;       /* a function: enum frame_status + key, see translator.c */
    size_t leave;       /* rax is the key, rdx the status */
    size_t fault_leave; /* the same without a key, from anywhere in a block */
    size_t look;        /* the last step of enter(), which may be done again: is it interrupted? */
    size_t settle;      /* a subroutine: lazy flags become kept ones; changes the host's */
    size_t miss;        /* rax is the key, which the jump table does not know */
};

void generate_trampolines(struct x86_code *code, const struct x86_pins *pins,
                          struct trampolines *out);

#endif
