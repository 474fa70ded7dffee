/*
 * held.h: what every boot starts from.
 *
 * A guest that resets itself gets a new machine, but by then this process can't open anything
 * any more (sandbox.h). So all that a machine is made from is opened once, before the first,
 * and each boot gets descriptors of its own, which its machine closes.
 */
#ifndef CHAPTER_07_HELD_H
#define CHAPTER_07_HELD_H

#include <stdbool.h>

#include "07-linux-boot/options.h"
#include "07-linux-boot/ram_file.h"
#include "common/file.h"

/* All descriptors are owned, and closed by the end of the process. */
struct held {
    struct file kernel, initrd;
    bool has_initrd; /* else there is none, or it is Multiboot's list, which the loader opens */
    struct ram_file ram;
    int kvm;      /* /dev/kvm */
    int trace;    /* -1 without -trace */
    bool sandbox; /* to be entered; the caller's */
};

/* Opens what the options name. What the host refuses ends the program (die). */
void held_open(struct held *held, const struct options *options);

/* A duplicate of kvm or trace, for one boot, which closes it; of -1, -1. Or it dies. */
int held_again(int fd);

#endif
