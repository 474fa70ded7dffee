/*
 * replay.h: one guest, four memory managers, and what each of them would pay.
 *
 * The guest runs under KVM, one instruction at a time. Before each, we work out what
 * it is about to touch (operand.h) and let two shadow MMUs and two EPTs see it. They
 * work on the guest's real tables. Where the walker says that the guest faults, the
 * fault is delivered by us, so the guest's own output shows whether that was right.
 */
#ifndef CHAPTER_03_REPLAY_H
#define CHAPTER_03_REPLAY_H

#include <stdio.h>

#include "01-kvm-hello/kvm.h"
#include "03-paging-ept/ept.h"
#include "03-paging-ept/paging_regs.h"
#include "03-paging-ept/shadow.h"

#define REPLAY_STORES_MAX 4u

struct replay {
    struct guest_memory view; /* borrowed */
    struct shadow strict, unsync;
    struct ept small, big;
    struct paging registers; /* of the last step */
    bool started;            /* the guest has reached 64-bit paging */
    bool halted;             /* its next instruction is HLT: some KVMs step over it */
    uint64_t fault_address;  /* of the last fault of the guest's own */
    uint32_t fault_code;
    struct {
        const uint8_t *host;
        uint64_t size;
    } stores[REPLAY_STORES_MAX]; /* of the last step, to tables the strict shadow watches */
    unsigned store_count;
    uint64_t instructions, unknown;
};

/* 0 or -ENOMEM. slots is borrowed. */
int replay_init(struct replay *replay, const struct slot_map *slots);
void replay_free(struct replay *replay);

/* Makes the next KVM_RUN return after one instruction. False: this KVM cannot. */
bool replay_single_step(const struct vcpu *vcpu);

/* To be called before each instruction; may move the guest to its fault handler. */
void replay_step(struct replay *replay, const struct vcpu *vcpu,
                 const struct paging_features *features);

/* The bill, as a table. */
void replay_print(FILE *out, const struct replay *replay);

#endif
