/*
 * trials.h: sensitive instructions, tried in ring 3 of this very computer.
 *
 * No KVM: the processor that runs this program is the one that is asked. An instruction
 * either brings a signal, which is how Linux hands a trap to a process, or it does not.
 */
#ifndef CHAPTER_02_TRIALS_H
#define CHAPTER_02_TRIALS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct trial {
    const char *name;
    const char *wants;                  /* what ring 0 would have got, or done */
    uint64_t (*run)(void);              /* executes it; what it gave, if anything */
    const char *(*judge)(uint64_t got); /* the result in words; NULL: print it as a number */
};

struct trial_result {
    int signal; /* SIGSEGV, SIGILL, ...; 0: nothing happened */
    uint64_t got;
};

/* All trials, count of them. */
const struct trial *trials(unsigned *count);

/* Runs one, with handlers for the signals it may bring in place only meanwhile. */
struct trial_result trial_run(const struct trial *trial);

/* User-mode instruction prevention [SDM3, 2.5 "Control Registers", CR4.UMIP]. */
enum umip {
    UMIP_ABSENT, /* the processor has none: the secrets are told */
    UMIP_OFF,    /* it has, and this kernel does not use it */
    UMIP_ON,     /* SGDT and the like trap, and a signal comes */
    UMIP_SPOOFED /* they trap, and Linux answers with made-up values */
};

enum umip umip_state(void);
const char *umip_words(enum umip state);

/* Runs and prints all; the last line counts what trapped and what did not. */
void trials_print(FILE *out);

#endif
