/*
 * bus.h: who answers at this address?
 *
 * A bus maps ranges of addresses to devices. One struct serves both of x86's
 * address spaces: the 65,536 I/O ports (PIO) and the physical addresses that are
 * not RAM (MMIO). A device never learns where it sits; it sees registers counted
 * from the start of its range.
 *
 *     access          bus                                    device
 *     inl 0x3f8  -->  [0x3f8, 0x400) takes 1 byte at a time
 *                     reg 0, size 1  --------------------->  read -> 0x41
 *                     reg 1, size 1  --------------------->  read -> 0x00
 *                     reg 2, size 1  --------------------->  read -> 0xc1
 *                     reg 3, size 1  --------------------->  read -> 0x03
 *                0x03c10041
 *
 * The bus alone knows these rules, so no device repeats them:
 *
 * - No two ranges overlap: who came first keeps the addresses, until he leaves.
 * - What nobody claims reads as all ones and ignores writes, as a bus with pull-up
 *   resistors does.
 * - A device is given naturally aligned pieces of 1, 2, 4 or 8 bytes, none wider
 *   than it declared. Wider or misaligned accesses are cut up, lowest address
 *   first; one that straddles the end of a range is shared with the neighbour.
 * - A device's answer is cut to the size asked for.
 *
 * Ranges may come and go while the guest runs, even from within a device's own read
 * or write: PCI moves devices about (pci.h). An access that is cut into pieces looks
 * each piece up anew, so it never calls a device that has just left.
 *
 * Not thread safe: a bus and all the devices on it belong to one lock, which the
 * caller holds around bus_add(), bus_remove() and every access. Once bus_remove() has
 * returned, then, no thread is inside the device through that range, and none will be.
 */
#ifndef CHAPTER_04_BUS_H
#define CHAPTER_04_BUS_H

#include <stdbool.h>
#include <stdint.h>

#define BUS_RANGES_MAX 256u

/* Values are little-endian numbers in the low size * 8 bits. */
struct bus_range {
    uint64_t start;
    uint64_t size;  /* addresses claimed; the range must not end past 2^64 - 1 */
    unsigned width; /* widest access the device takes: 1, 2, 4 or 8 bytes */
    uint64_t (*read)(void *self, uint64_t reg, unsigned size);
    void (*write)(void *self, uint64_t reg, unsigned size, uint64_t value);
    void *self;       /* not owned */
    const char *name; /* for people who read traces; not owned, may be NULL */
};

/* Start with an all-zero struct. Owns nothing, needs no release. */
struct bus {
    struct bus_range ranges[BUS_RANGES_MAX]; /* by rising start */
    unsigned count;
};

/*
 * Copies the range onto the bus. 0, or -EINVAL (empty, past the end, width not
 * one of the four), -EEXIST (overlaps another), -ENOSPC (bus full).
 */
int bus_add(struct bus *bus, const struct bus_range *range);

/* Takes away the range that starts at start. 0, or -ENOENT if none does. */
int bus_remove(struct bus *bus, uint64_t start);

/* What the range at address is called; "nobody" if none is there, "?" if it has no name. */
const char *bus_name(const struct bus *bus, uint64_t address);

/* One access of 1 to 8 bytes. */
uint64_t bus_read(const struct bus *bus, uint64_t address, unsigned size);
void bus_write(const struct bus *bus, uint64_t address, unsigned size, uint64_t value);

/*
 * The same access, count times: what "rep insb" and "rep outsw" do. The data
 * pointer advances by size each time, the address stays: a port is a place, not
 * an array. data holds size * count bytes.
 */
void bus_read_string(const struct bus *bus, uint64_t address, unsigned size, uint64_t count,
                     void *data);
void bus_write_string(const struct bus *bus, uint64_t address, unsigned size, uint64_t count,
                      const void *data);

#endif
