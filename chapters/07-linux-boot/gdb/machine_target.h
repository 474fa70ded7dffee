/*
 * machine_target.h: a machine on KVM as a debugger's target.
 */
#ifndef CHAPTER_07_GDB_MACHINE_TARGET_H
#define CHAPTER_07_GDB_MACHINE_TARGET_H

#include "04-devices/machine.h"
#include "07-linux-boot/gdb/target.h"
#include "07-linux-boot/monitor.h"

struct machine_target {
    struct gdb_target target;
    struct machine *machine; /* neither is owned */
    struct monitor *monitor; /* attached to the machine */
};

/*
 * The machine has its processors and is not started; hit(self) is called when one of them
 * comes upon a debug exception, on its thread and under the lock.
 */
void machine_target_init(struct machine_target *t, struct machine *machine, struct monitor *monitor,
                         void (*hit)(void *self), void *self);

/* What a debugger will miss on this computer, for people; NULL: nothing. */
const char *machine_target_lacks(void);

#endif
