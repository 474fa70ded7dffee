/*
 * stop.h: why guest code stopped running.
 *
 * An engine (the interpreter, the translator) runs guest code until something only
 * its caller can settle: a system call, a fault, a signal. It then returns a struct
 * arm_stop, and the processor's state is exact: every instruction before r[15] has
 * happened, none from r[15] on has.
 *
 *   ARM_SVC           r[15] is behind the SVC: run the call, then go on
 *   all others        r[15] is the instruction that could not be executed
 *
 * After a fault the instruction can be started again: its base register holds what
 * it held before. Registers that a half-done LDM has loaded already, and words that
 * a half-done STM has stored already, may have changed; starting again changes them
 * the same way. [ARM-ARM, B1.9.8 "Data Abort exception"]
 */
#ifndef TCG_ARM_STOP_H
#define TCG_ARM_STOP_H

#include <stdbool.h>
#include <stdint.h>

enum arm_stop_reason {
    ARM_SVC,         /* a system call; value: the comment field (0 in the EABI) */
    ARM_UNDEFINED,   /* no such instruction; value: its encoding */
    ARM_FAULT,       /* memory: address, access, unaligned */
    ARM_BREAKPOINT,  /* BKPT; value: its number */
    ARM_HELPER_PAGE, /* a jump to ARM_HELPERS or above: the kernel's helper page */
    ARM_INTERRUPTED, /* cpu->interrupt is set */
    ARM_BUDGET,      /* as many instructions as were asked for have run */
};

enum arm_access {
    ARM_READ,
    ARM_WRITE,
    ARM_EXECUTE,
};

struct arm_stop {
    enum arm_stop_reason reason;
    uint32_t value;         /* see above */
    uint32_t address;       /* ARM_FAULT: the first byte that could not be reached */
    enum arm_access access; /* ARM_FAULT: what for */
    bool unaligned;         /* ARM_FAULT: misaligned (SIGBUS, BUS_ADRALN) */
    bool vanished;          /* ARM_FAULT: mapped, but beyond the file's end (BUS_ADRERR) */
};

/*
 * The last page of the address space is the kernel's: user programs call it at fixed
 * addresses for what their processor may lack, such as an atomic compare and
 * exchange. No engine executes what is there; the translator knows the usual calls by heart
 * (translate/lift_helper.c). (Linux, Documentation/arm/kernel_user_helpers.rst)
 */
#define ARM_HELPERS UINT32_C(0xffff0000)

#endif
