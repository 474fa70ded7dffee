/*
 * board.h: the machine of this chapter's two guest programs, and its run loop.
 *
 * One processor, RAM from 0, and port 0xe9: bytes written there go to standard output.
 * A program may answer more ports through a callback. The board knows how to stop
 * (signals, a time limit), how to step, and how to word every end.
 *
 *     board_init(&board, &options);
 *     payload_load(&board.vm.memory, ...);
 *     launch_load(&board.vcpu, ...);     registers
 *     status = board_run(&board);
 *     board_free(&board);
 */
#ifndef CHAPTER_02_BOARD_H
#define CHAPTER_02_BOARD_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/kvm.h"

/* Exit statuses; those of chapter 1 and one more. */
enum board_status {
    BOARD_HALTED = 0,       /* the guest executed HLT */
    BOARD_HOST = 1,         /* the host refused something (die) */
    BOARD_TRIPLE_FAULT = 3, /* the guest crashed its processor */
    BOARD_UNHANDLED = 4,    /* an exit without an answer */
    BOARD_STOPPED = 5,      /* Ctrl-C or the time limit */
    BOARD_REFUSED = 6,      /* registers that contradict each other */
};

struct board_options {
    double limit; /* seconds; 0 for none */
    bool watch;   /* single-step, print each change of mode */
    bool step;    /* ... and each instruction */
};

struct board {
    struct vm vm;
    struct vcpu vcpu;
    struct board_options options;

    /* The registers as they were at the last exit; an AMD triple fault erases them. */
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    /* Another port: true if it was answered. May be NULL. */
    bool (*port)(void *self, struct board *board, struct kvm_run *run);
    void *self;
};

/* Opens KVM, makes machine, RAM of ram bytes, processor with all CPUID leaves. */
void board_init(struct board *board, const struct board_options *options, uint64_t ram);
void board_free(struct board *board);

/* Runs the guest to its end. Says on standard error why, unless it halted. */
enum board_status board_run(struct board *board);

#endif
