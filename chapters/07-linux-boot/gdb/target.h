/*
 * target.h: what a debugger's stub asks of a machine. The real one is machine_target.c; the
 * tests have one without KVM.
 *
 * All but stop() and take_hit() are called while the machine stands.
 */
#ifndef CHAPTER_07_GDB_TARGET_H
#define CHAPTER_07_GDB_TARGET_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "03-paging-ept/walk.h"
#include "07-linux-boot/gdb/breakpoints.h"
#include "07-linux-boot/gdb/registers.h"

struct gdb_target {
    void *self;
    unsigned processors;
    const struct guest_memory *memory;
    pthread_mutex_t *lock; /* the devices', which bytes go out under */
    unsigned maxphyaddr;   /* as struct paging has them */
    bool gib_pages;
    enum breakpoint_means means;
    uint32_t step_flags; /* what KVM_SET_GUEST_DEBUG is told for a single step */

    void (*stop)(void *self); /* returns when no processor runs guest code */
    /* Goes on; but a processor i with runs[i] false still stands. */
    void (*go)(void *self, const bool *runs);
    /* Did processor i come upon a debug exception since last asked? */
    bool (*take_hit)(void *self, unsigned i, struct kvm_debug_exit_arch *hit);
    void (*get)(void *self, unsigned i, struct registers *registers);
    bool (*set)(void *self, unsigned i, const struct registers *registers);
    bool (*arm)(void *self, unsigned i, struct kvm_guest_debug *debug);
    const char *(*state)(void *self, unsigned i); /* "halted", for people */
    void (*command)(void *self, const char *line, FILE *out);
    void (*kill)(void *self);
};

#endif
