/*
 * translator.h: runs guest code by translating it, block by block, when it gets there.
 *
 *     struct translator *t;
 *     if (translator_new(&t, space, NULL) < 0) ...
 *     struct arm_stop stop = translator_run(t, &cpu);     like arm_run()
 *
 * The same contract as the reference interpreter's: the processor's state is exact
 * when translator_run() returns, faults included. The one difference is the budget,
 * which only the interpreter counts.
 *
 * One translator serves all threads of a guest. They share the translated code; each
 * brings its own struct arm_cpu. It becomes the space's watcher: when the space says
 * that code changes, the blocks made of it are forgotten.
 *
 * What a guest can do to us is bounded: a block has at most IR_GUEST instructions, the
 * cache has a fixed size and is thrown away when it is full.
 */
#ifndef TCG_TRANSLATE_TRANSLATOR_H
#define TCG_TRANSLATE_TRANSLATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/stop.h"
#include "06-tcg/space.h"

/* Stages that can be printed. */
#define TRANSLATOR_DUMP_ARM 0x01u
#define TRANSLATOR_DUMP_IR  0x02u
#define TRANSLATOR_DUMP_OPT 0x04u
#define TRANSLATOR_DUMP_X86 0x08u

/* Techniques that can be left out, to see what they are worth. */
#define TRANSLATOR_NO_OPTIMIZER  0x01u     /* no passes over the IR at all */
#define TRANSLATOR_NO_CHAINING   0x02u     /* every exit goes through C */
#define TRANSLATOR_NO_PINS       0x04u     /* guest registers stay in memory between instructions */
#define TRANSLATOR_NO_FUSING     0x08u     /* conditions always read the flags from memory */
#define TRANSLATOR_NO_LITERALS   0x10u     /* literal pools are loaded at run time */
#define TRANSLATOR_NO_SELECT     0x20u     /* conditional moves are branches */
#define TRANSLATOR_NO_LIVENESS   0x40u     /* at the end of a block all flags are written */
#define TRANSLATOR_NO_LAZY       0x80u     /* flags are computed, though nobody may look */
#define TRANSLATOR_NO_REPEATING  0x100u    /* no condition compares again */
#define TRANSLATOR_NO_DEFERRING  0x200u    /* operands of lazy flags are written at once */
#define TRANSLATOR_NO_RUNS       0x400u    /* a conditional comparison ends its region */
#define TRANSLATOR_NO_INHERITING 0x800u    /* and at the end of a block at the latest */
#define TRANSLATOR_NO_FOLLOWING  0x1000u   /* a branch ends the block */
#define TRANSLATOR_NO_SAVING     0x2000u   /* lazy flags are deferred only if registers keep them */
#define TRANSLATOR_NO_CUTTING    0x4000u   /* loops look at cpu->interrupt once a turn */
#define TRANSLATOR_NO_TIERING    0x8000u   /* code is translated the first time already */
#define TRANSLATOR_NO_CHOICES    0x10000u  /* conditional computations are branched around */
#define TRANSLATOR_NO_IDIOMS     0x20000u  /* divisions are done step by step */
#define TRANSLATOR_NO_MEETING    0x40000u  /* blocks go on where another one begins */
#define TRANSLATOR_NO_PLACING    0x80000u  /* loops lie where they fall */
#define TRANSLATOR_NO_BMI        0x100000u /* shifts as every x86-64 has them */
#define TRANSLATOR_NO_FORWARDING 0x200000u /* what was stored is loaded again */
#define TRANSLATOR_NO_CACHING    0x400000u /* indirect jumps always use the jump table */
#define TRANSLATOR_NO_ALL        0x7fffffu

/* Their names, as lines of a usage text. */
#define TRANSLATOR_TECHNIQUES                                                                      \
    "                      optimizer, chaining, pins, fusing, repeating, lazy,\n"                  \
    "                      deferring, inheriting, literals, select, liveness,\n"                   \
    "                      runs, following, saving, cutting, tiering,\n"                           \
    "                      choices, idioms, meeting, placing, bmi,\n"                              \
    "                      forwarding, caching\n"

struct translator_options {
    size_t cache_size;    /* bytes of code; 0: 32 MiB */
    unsigned block_limit; /* guest instructions of a block; 0: IR_GUEST */
    unsigned without;     /* TRANSLATOR_NO_... */
    unsigned cold_runs;   /* so often code is interpreted before it is translated; 255 at most */
    bool count;           /* executions of each block */
    bool perf_map;        /* write /tmp/perf-PID.map for perf report */
    unsigned dump;        /* TRANSLATOR_DUMP_...: printed when a block is translated */
    FILE *dump_file;
};

struct translator_stats {
    uint64_t blocks, insns; /* translated so far */
    uint64_t code_bytes;
    uint64_t flushes, invalidated;
    uint64_t chained;
};

struct translator;

/* options may be NULL. 0 or -errno. The space outlives the translator. */
int translator_new(struct translator **out, struct space *space,
                   const struct translator_options *options);

/* No thread may be running in it. */
void translator_free(struct translator *t);

struct arm_stop translator_run(struct translator *t, struct arm_cpu *cpu);

/*
 * For the handler of a signal that has set cpu->interrupt, in a thread that may be running
 * in t: makes it stop soon. context is the handler's third argument.
 */
void translator_interrupt(struct translator *t, void *context);

/* After fork(), in the child: the other threads that may have been running are gone. */
void translator_forked(struct translator *t);

/* Forgets all code, or the code made from [address, address + size): for cacheflush. */
void translator_flush(struct translator *t);
void translator_invalidate(struct translator *t, uint32_t address, uint64_t size);

struct translator_stats translator_stats(struct translator *t);

/* "chaining,pins" to TRANSLATOR_NO_... bits. False: *bad is the unknown name. */
bool translator_parse_without(const char *names, unsigned *without, const char **bad);

/* "arm,ir,opt,x86" to TRANSLATOR_DUMP_... bits. */
bool translator_parse_dump(const char *names, unsigned *dump, const char **bad);

/* All blocks in the cache as JSON: ARM, IR before and after, x86, executions. */
void translator_dump_json(struct translator *t, FILE *file);

/* The blocks in which most instructions were executed (option count). */
void translator_profile(struct translator *t, FILE *file, unsigned lines);

#endif
