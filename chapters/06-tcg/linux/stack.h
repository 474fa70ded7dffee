/*
 * stack.h: what a fresh program finds on its stack.
 *
 *   high   +------------------------------+
 *          | path, strings, random bytes  |
 *          +------------------------------+
 *          | auxv: pairs, up to AT_NULL   |
 *          | envp[0] .. NULL              |
 *          | argv[0] .. NULL              |
 *   sp ->  | argc                         |   a multiple of 8
 *          +------------------------------+
 *
 * [AAPCS32, 6.2.1.2 "Stack constraints at a public interface"]
 */
#ifndef CHAPTER_06_LINUX_STACK_H
#define CHAPTER_06_LINUX_STACK_H

#include <stdint.h>

#include "06-tcg/linux/elf.h"

struct process;

/*
 * What Linux tells an ARMv5TE program of its processor, AT_HWCAP: [Linux:
 * arch/arm/include/uapi/asm/hwcap.h]. No VFP, no thread register: the C library then
 * takes its soft-float and helper-page paths.
 */
#define HWCAP_SWP       0x01u
#define HWCAP_HALF      0x02u
#define HWCAP_THUMB     0x04u
#define HWCAP_FAST_MULT 0x10u
#define HWCAP_EDSP      0x80u
#define HWCAP_ARMV5TE   (HWCAP_SWP | HWCAP_HALF | HWCAP_THUMB | HWCAP_FAST_MULT | HWCAP_EDSP)

/*
 * Fills the mapped stack [process->stack_low, stack_high). *sp is where it starts.
 * 0, or -E2BIG: arguments and environment take more than a quarter of the stack.
 */
int stack_build(struct process *process, const char *path, char *const argv[], char *const envp[],
                const struct elf_image *program, uint32_t interpreter_base, uint32_t *sp);

#endif
