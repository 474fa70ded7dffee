/*
 * pagemap.c: see pagemap.h.
 *
 * /proc/self/pagemap is an array of 64-bit words, one for each 4 KiB page of our
 * address space; /proc/self/smaps describes each mapping in text.
 */
#define _GNU_SOURCE
#include "03-paging-ept/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/bits.h"

#define PAGE            4096u
#define PAGEMAP_PRESENT BIT(63)
#define PAGEMAP_SWAPPED BIT(62)
#define PAGEMAP_FRAME   (BIT(55) - 1)

/* [host-page] */
int host_page_of(const void *address, struct host_page *page)
{
    off_t at = (off_t)((uintptr_t)address / PAGE * sizeof(uint64_t));
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uint64_t word;
    ssize_t got;

    if (fd < 0)
        return -errno;
    got = pread(fd, &word, sizeof word, at);
    close(fd);
    if (got != sizeof word)
        return got < 0 ? -errno : -EIO;
    *page = (struct host_page){
        .present = word & PAGEMAP_PRESENT,
        .swapped = word & PAGEMAP_SWAPPED,
        .frame_known = (word & PAGEMAP_PRESENT) && (word & PAGEMAP_FRAME),
        .frame = (word & PAGEMAP_FRAME) * PAGE,
    };
    return 0;
}
/* [/host-page] */

int64_t host_pages_present(const void *start, uint64_t size)
{
    int64_t count = 0;

    for (uint64_t offset = 0; offset < size; offset += PAGE) {
        struct host_page page;
        int error = host_page_of((const uint8_t *)start + offset, &page);

        if (error)
            return error;
        count += page.present;
    }
    return count;
}

int64_t host_huge_bytes(const void *start)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    unsigned long low, high, kib;
    bool inside = false;
    int64_t found = -ENOENT;
    char line[512];

    if (!smaps)
        return -errno;
    while (found < 0 && fgets(line, sizeof line, smaps)) {
        if (sscanf(line, "%lx-%lx ", &low, &high) == 2)
            inside = (uintptr_t)start >= low && (uintptr_t)start < high;
        else if (inside && sscanf(line, "AnonHugePages: %lu kB", &kib) == 1)
            found = (int64_t)kib * 1024;
    }
    fclose(smaps);
    return found;
}
