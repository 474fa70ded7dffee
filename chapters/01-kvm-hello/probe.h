/*
 * probe.h: does guest kernel code really run here? Measured, not guessed.
 *
 * Flags lie: a computer may have /dev/kvm and no hardware behind it. The probe
 * runs guest/probe.asm, a guest of a few instructions, for at most some seconds,
 * and notes how far it came and how fast its ring-0 code ran.
 */
#ifndef CHAPTER_01_PROBE_H
#define CHAPTER_01_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* How far the guest came; the numbers are those of guest/probe.asm. */
enum probe_step {
    PROBE_NOTHING = 0,
    PROBE_REAL = 1,       /* 16-bit code ran */
    PROBE_LONG = 2,       /* 64-bit ring-0 code ran */
    PROBE_LOOP = 3,       /* the timed loop came to its end */
    PROBE_CMPXCHG16B = 4, /* and so did LOCK CMPXCHG16B */
};

#define PROBE_LOOP_INSTRUCTIONS 400000u

struct probe {
    enum probe_step step;
    double instructions_per_second; /* in the loop; 0 if it did not end */
    bool timed_out;
    uint32_t last_exit; /* KVM_EXIT_*, how it ended */
};

/*
 * Runs the probe guest in a child process for at most seconds. Needs a /dev/kvm
 * that opens; whatever goes wrong shows as a step not reached. 0 or -errno.
 */
int probe_run(struct probe *probe, unsigned seconds);

#endif
