/*
 * fuzz.h: what the fuzz targets of this chapter share: a machine without processors whose
 * driver is the fuzzer. An input is a program for that driver.
 *
 *     byte 0        the transport: virtio-mmio or virtio-pci
 *     then, until the input ends, steps: a code and its operands
 *
 *     write, read   registers of the transport, PCI configuration space, ports
 *     memory        bytes of the guest's RAM
 *     live          reset, negotiate features, place the queues, DRIVER_OK
 *     descriptor    one entry of a queue's table; available: a head, and the index moves
 *     request       a chain as a driver makes them: header from the input, data, room
 *     notify        "look at this queue"
 *     poke          the other side of the device does something (see the target)
 *
 * So all that a hostile guest can do between two exits is in reach, and what a driver with
 * manners does takes few bytes. What counts as a finding: what AddressSanitizer and UBSan
 * say, more chains in flight than a ring has places, a device that a reset does not reset,
 * a step that does not end, and whatever a target checks itself.
 *
 * Left out on purpose: other processors that write at the same time (test_ring_races.c).
 */
#ifndef TESTS_05_FUZZ_H
#define TESTS_05_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "05-virtio/virtio_device.h"

/* The guest's memory: RAM from 0, and a page that devices must not write. */
#define FUZZ_RAM 0x10000u
#define FUZZ_ROM 0x20000u

/* A finding of our own: the fuzzer keeps the input that led here. */
#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

/* Numbers from the input; zeros when it is at its end. */
uint64_t fuzz_take(unsigned bytes);

/* Reads what a device hands out, so that the sanitizer sees each byte; how many. */
size_t fuzz_look(const struct iovec *iov, unsigned count);

/* What a target defines. */

/* A device as after a reset, over this memory; called once for each input. */
struct virtio_device *target_begin(const struct guest_memory *memory);

/* The host's side does something; takes operands with fuzz_take(). */
void target_poke(void);

/* The device has been reset: checks what that leaves. */
void target_end(void);

#endif
