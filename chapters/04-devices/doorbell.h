/*
 * doorbell.h: a write that rings without stopping the guest.
 *
 * A driver that has put work into memory writes to a doorbell register, and what it
 * writes says little or nothing. KVM can take such a write itself: it adds one to an
 * eventfd and lets the guest go on (KVM_IOEVENTFD). Our event loop sees the eventfd and
 * hands the device the write that it would have got.
 *
 *     guest: out doorbell -->  KVM --eventfd--> event loop --bus_write()--> device
 *            (goes on at once)
 *
 * What is lost on the way: several rings that come before we look are one; the value
 * is lost, unless the doorbell was made for this one value; and the device acts a moment
 * after the guest has gone on, on another thread. A register where any of this matters
 * is no doorbell.
 */
#ifndef CHAPTER_04_DOORBELL_H
#define CHAPTER_04_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

#define DOORBELL_NOWHERE UINT64_MAX /* an address: not registered for now */

enum doorbell_space { DOORBELL_PORT, DOORBELL_MEMORY };

struct doorbell {
    struct machine *machine;
    enum doorbell_space space;
    uint64_t address;
    unsigned size;  /* 1, 2, 4 or 8: only such writes ring */
    bool any_value; /* else only value rings */
    uint64_t value; /* what the device is given */
    int fd;
    bool borrowed;   /* fd is another's, who hears the rings himself */
    bool registered; /* KVM takes the writes; under the lock, as address is */
    uint64_t rings;  /* how often the event loop has answered; under the lock */
};

/*
 * Registers the doorbell, whose first six fields are filled in, with KVM and the event
 * loop. Several may share an address, for different values. It must not move. 0, or
 * -errno: -EEXIST (there is one), or what this KVM lacks.
 */
int doorbell_open(struct doorbell *doorbell);

/*
 * The same, but the rings are written to fd, an eventfd of the caller's, and nobody else
 * hears of them: a thread that serves the device need not wait for the event loop. Many
 * doorbells may share one.
 */
int doorbell_open_on(struct doorbell *doorbell, int fd);

/*
 * The register is elsewhere now, or DOORBELL_NOWHERE; PCI devices move. Under the device
 * lock, which KVM makes us hold for some milliseconds. A ring that is still on its way
 * finds the new place. Where KVM does not want to watch, nothing is lost but speed:
 * writes there stop the guest, as all others do.
 */
void doorbell_move(struct doorbell *doorbell, uint64_t address);

/* Unregisters it. The event loop must not be running. */
void doorbell_close(struct doorbell *doorbell);

#endif
