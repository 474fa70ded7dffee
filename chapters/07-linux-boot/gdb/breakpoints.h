/*
 * breakpoints.h: where the guest shall stop, and how it is brought to it.
 *
 *     software    the byte there becomes int3 (0xcc), and comes back afterwards
 *     hardware    one of the processor's four debug registers: execution, and also data
 *
 * The first kind is without number (BREAKPOINTS_MAX, that is), but changes the guest's memory
 * and needs memory to be there. Of the second kind there are four, for all processors alike.
 *
 * A debugger that reads memory sees the guest's bytes, not ours. Setting the same one twice
 * is setting it once. If the guest writes over an int3 of ours it has lost the breakpoint
 * there, and what it wrote stays.
 *
 * A KVM of software alone emulates neither int3 nor the watching of data: there, both kinds
 * for code are of debug registers. On an emulated processor (QEMU's, in which our lab runs)
 * there are none at all.
 *
 * No KVM here.
 */
#ifndef CHAPTER_07_GDB_BREAKPOINTS_H
#define CHAPTER_07_GDB_BREAKPOINTS_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "03-paging-ept/walk.h"

#define BREAKPOINTS_MAX 1024u
#define DEBUG_REGISTERS 4u

/* As the protocol numbers them. [GDB, E.2 "Packets", "z type,addr,kind"] */
enum breakpoint_kind {
    BREAK_SOFTWARE = 0,
    BREAK_HARDWARE = 1,
    WATCH_WRITE = 2,
    WATCH_READ = 3, /* x86 has no such thing: it stops at writes, too, and gdb goes on then */
    WATCH_ACCESS = 4,
    BREAKPOINT_KINDS,
};

struct int3 {
    uint64_t address; /* linear, as gdb said */
    gpa_t at;         /* where the byte is */
    uint8_t original;
};

struct debug_register {
    bool used;
    enum breakpoint_kind kind;
    uint64_t address;
    unsigned length;
};

/* What this computer's KVM can do. */
enum breakpoint_means {
    BREAKPOINTS_ALL,
    BREAKPOINTS_OF_CODE, /* four: software ones have a debug register, too */
    BREAKPOINTS_NONE,
};

/* Start with an all-zero struct. */
struct breakpoints {
    enum breakpoint_means means;
    struct int3 list[BREAKPOINTS_MAX];
    unsigned count;
    struct debug_register registers[DEBUG_REGISTERS];
};

/*
 * length is of the data watched, or 1. False: no such kind, length or alignment, no memory
 * there, or no room.
 */
bool breakpoint_set(struct breakpoints *b, const struct guest_memory *memory,
                    const struct paging *paging, enum breakpoint_kind kind, uint64_t address,
                    uint64_t length);

/* One that is not there is removed already. */
void breakpoint_remove(struct breakpoints *b, const struct guest_memory *memory,
                       enum breakpoint_kind kind, uint64_t address, uint64_t length);

void breakpoints_clear(struct breakpoints *b, const struct guest_memory *memory);

/* Is there an int3 of ours in that byte of the guest's memory? NULL: no. */
struct int3 *breakpoint_at(struct breakpoints *b, gpa_t at);

/* Fills in what KVM_SET_GUEST_DEBUG is to know of them. */
void breakpoints_arm(const struct breakpoints *b, struct kvm_guest_debug *debug);

/* ---- the guest's memory, as a debugger sees it ---- */

/*
 * Both return how many bytes they have moved: they end before the first page that is not
 * there, or that is no RAM. Page protection does not concern a debugger.
 */
uint64_t debug_read(struct breakpoints *b, const struct guest_memory *memory,
                    const struct paging *paging, uint64_t address, uint8_t *bytes, uint64_t count);
uint64_t debug_write(struct breakpoints *b, const struct guest_memory *memory,
                     const struct paging *paging, uint64_t address, const uint8_t *bytes,
                     uint64_t count);

/* Where the byte at a linear address is. False: nowhere. */
bool debug_translate(const struct guest_memory *memory, const struct paging *paging,
                     uint64_t address, gpa_t *at);

#endif
