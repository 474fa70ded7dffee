/*
 * pagemap.h: what the host has put behind an address of this process.
 *
 * Three questions: is there a page at all (memory comes when it is touched), how big
 * is it (4 KiB, or 2 MiB where the kernel found one), and where in the computer does
 * it lie? The kernel answers the last only to root: physical addresses help attackers.
 * [Documentation/admin-guide/mm/pagemap.rst, Linux 6.1]
 */
#ifndef CHAPTER_03_PAGEMAP_H
#define CHAPTER_03_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>

struct host_page {
    bool present; /* in memory now */
    bool swapped;
    bool frame_known;
    uint64_t frame; /* physical address of the page */
};

/* 0, or -errno of /proc/self/pagemap. frame_known is false for all but root. */
int host_page_of(const void *address, struct host_page *page);

/* How many of the range's 4 KiB pages are present; -errno on failure. */
int64_t host_pages_present(const void *start, uint64_t size);

/* How many bytes of the mapping around start are in huge pages; -errno. */
int64_t host_huge_bytes(const void *start);

#endif
