/*
 * helper.h: the kernel's helper page at 0xffff0000.
 *
 * An ARMv5 has no instruction for an atomic compare and exchange, none for a memory
 * barrier, and no register for a thread pointer; an ARMv7 has all three. A program
 * for both calls the kernel's page instead, which holds what fits the processor. On
 * one ARMv5 core the kernel makes the exchange atomic by looking, when it interrupts
 * a thread, whether it was in the middle of it. Our guest threads run at the same
 * time, so we use the host's lock cmpxchg.
 *
 *     0xffff0f60  cmpxchg64   r0 = *old, r1 = *new, r2 = where: r0 = 0 and C if done
 *     0xffff0fa0  memory barrier
 *     0xffff0fc0  cmpxchg     r0 = old, r1 = new, r2 = where: r0 = 0 and C if done
 *     0xffff0fe0  get_tls     r0 = the thread pointer
 *     0xffff0ffc  a word: how many helpers there are
 *
 * [KUSER-HELPERS]
 */
#ifndef CHAPTER_06_LINUX_HELPER_H
#define CHAPTER_06_LINUX_HELPER_H

#include <stdbool.h>

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/stop.h"

#define HELPER_SIGRETURN    0xffff0500u /* where a handler without SA_RESTORER returns to */
#define HELPER_RT_SIGRETURN 0xffff0508u
#define HELPER_CMPXCHG64    0xffff0f60u
#define HELPER_BARRIER      0xffff0fa0u
#define HELPER_CMPXCHG      0xffff0fc0u
#define HELPER_GET_TLS      0xffff0fe0u
#define HELPER_VERSION      0xffff0ffcu

/* Maps the page into a fresh space. 0 or -errno. */
int helper_map(struct space *space);

/*
 * The guest jumped to cpu->r[15] in the page: does what the helper there does and
 * returns to its caller. False: *stop says what is wrong (no helper at this address;
 * a fault of the memory it was to work on).
 */
bool helper_call(struct arm_cpu *cpu, struct arm_stop *stop);

#endif
