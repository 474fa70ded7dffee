/*
 * space_copy.c: copies between the guest's memory and ours. See space.h.
 *
 * The flags are asked first, and still the copy may fault: another thread of the guest
 * may unmap the page meanwhile, or the file behind it is shorter than the mapping.
 * fault_copy() turns that into EFAULT.
 */
#include <errno.h>
#include <string.h>

#include "06-tcg/fault.h"
#include "06-tcg/space.h"

int space_read(struct space *space, uint32_t address, void *to, size_t size)
{
    if (!space_allows(space, address, size, SPACE_READ))
        return -EFAULT;
    return fault_copy(to, space_at(space, address), size);
}

/*
 * Between the moment a page of code is opened for us and the copy, another thread may
 * have translated from it and closed it again. Then it is opened once more. A page that
 * faults for another reason, a mapped file cut short, does so every time.
 */
#define WRITE_TRIES 16

int space_write(struct space *space, uint32_t address, const void *from, size_t size)
{
    int error = -EFAULT;

    for (unsigned tries = 0; tries < WRITE_TRIES && error < 0; tries++) {
        void *to;

        if (!space_allows(space, address, size, SPACE_WRITE))
            return -EFAULT;
        to = space_host(space, address, size, SPACE_WRITE);
        error = fault_copy(to ? to : space_at(space, address), from, size);
    }
    return error;
}

ssize_t space_read_string(struct space *space, uint32_t address, char *to, size_t size)
{
    size_t done = 0;

    while (done < size) {
        size_t page = SPACE_PAGE_SIZE - ((address + done) & (SPACE_PAGE_SIZE - 1));
        size_t part = page < size - done ? page : size - done;
        const char *end;

        if ((uint64_t)address + done >= SPACE_SIZE ||
            space_read(space, (uint32_t)(address + done), to + done, part) < 0)
            return -EFAULT;
        end = memchr(to + done, '\0', part);
        if (end)
            return end - to;
        done += part;
    }
    return -ENAMETOOLONG;
}
