/*
 * bus.c: see bus.h for the rules.
 *
 * The ranges are kept sorted, so a look-up is a binary search: six comparisons
 * for sixty devices. A guest that does a million accesses a second notices. Adding
 * and removing shift the rest of the array, which costs more and happens seldom.
 *
 * Left out on purpose: ranges on top of each other with priorities as real chip sets
 * and QEMU have them.
 */
#include "04-devices/bus.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "common/bits.h"

/* memcpy between a number and bytes in memory is right only here. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "x86 hosts are little-endian");

/* The index of the first range that starts after address. */
static unsigned bus_upper_bound(const struct bus *bus, uint64_t address)
{
    unsigned low = 0, high = bus->count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (bus->ranges[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct bus_range *bus_find(const struct bus *bus, uint64_t address)
{
    unsigned after = bus_upper_bound(bus, address);
    const struct bus_range *range;

    if (after == 0)
        return NULL;
    range = &bus->ranges[after - 1];
    return address - range->start < range->size ? range : NULL;
}

int bus_add(struct bus *bus, const struct bus_range *range)
{
    unsigned at = bus_upper_bound(bus, range->start);

    if (range->size == 0 || !fits(range->start, range->size, UINT64_MAX))
        return -EINVAL;
    if (!is_power_of_two(range->width) || range->width > 8)
        return -EINVAL;
    if (bus->count == BUS_RANGES_MAX)
        return -ENOSPC;
    /* Sorted and free of overlap so far: only the two neighbours can collide. */
    if (bus_find(bus, range->start))
        return -EEXIST;
    if (at < bus->count && bus->ranges[at].start - range->start < range->size)
        return -EEXIST;

    memmove(&bus->ranges[at + 1], &bus->ranges[at], (bus->count - at) * sizeof *range);
    bus->ranges[at] = *range;
    bus->count++;
    return 0;
}

int bus_remove(struct bus *bus, uint64_t start)
{
    unsigned after = bus_upper_bound(bus, start);

    if (after == 0 || bus->ranges[after - 1].start != start)
        return -ENOENT;
    memmove(&bus->ranges[after - 1], &bus->ranges[after],
            (bus->count - after) * sizeof bus->ranges[0]);
    bus->count--;
    return 0;
}

const char *bus_name(const struct bus *bus, uint64_t address)
{
    const struct bus_range *range = bus_find(bus, address);

    if (!range)
        return "nobody";
    return range->name ? range->name : "?";
}

/*
 * The next piece of an access: the largest power of two that is aligned at reg,
 * that the device takes, and that neither the access nor the range cuts short.
 */
static unsigned bus_piece(const struct bus_range *range, uint64_t reg, unsigned left)
{
    unsigned piece = range->width;

    while (piece > left || piece > range->size - reg || !is_aligned(range->start + reg, piece))
        piece /= 2;
    return piece;
}

static uint64_t low_bytes(uint64_t value, unsigned size)
{
    return bits(value, size * 8 - 1, 0);
}

/* [read] */
uint64_t bus_read(const struct bus *bus, uint64_t address, unsigned size)
{
    uint64_t value = 0;
    unsigned piece;

    for (unsigned done = 0; done < size; done += piece) {
        const struct bus_range *range = bus_find(bus, address + done);
        uint64_t part = UINT64_MAX;

        piece = 1;
        if (range) {
            uint64_t reg = address + done - range->start;

            piece = bus_piece(range, reg, size - done);
            part = range->read(range->self, reg, piece);
        }
        value |= low_bytes(part, piece) << (done * 8);
    }
    return value;
}
/* [/read] */

void bus_write(const struct bus *bus, uint64_t address, unsigned size, uint64_t value)
{
    unsigned piece;

    for (unsigned done = 0; done < size; done += piece) {
        const struct bus_range *range = bus_find(bus, address + done);

        piece = 1;
        if (range) {
            uint64_t reg = address + done - range->start;

            piece = bus_piece(range, reg, size - done);
            range->write(range->self, reg, piece, low_bytes(value >> (done * 8), piece));
        }
    }
}

void bus_read_string(const struct bus *bus, uint64_t address, unsigned size, uint64_t count,
                     void *data)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value = bus_read(bus, address, size);

        memcpy((uint8_t *)data + i * size, &value, size);
    }
}

void bus_write_string(const struct bus *bus, uint64_t address, unsigned size, uint64_t count,
                      const void *data)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value = 0;

        memcpy(&value, (const uint8_t *)data + i * size, size);
        bus_write(bus, address, size, value);
    }
}
