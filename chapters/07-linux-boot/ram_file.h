/*
 * ram_file.h: -mem-path and -mem-prealloc: where the guest's RAM comes from, and when.
 *
 *     -mem-path /dev/hugepages     pages of 2 MiB that the administrator has set aside
 *     -mem-path /dev/shm           memory that another process may map, too
 *     -mem-prealloc                all of it now, so that none can be missing later
 *
 * RAM is anonymous memory and asks the kernel for huge pages anyway (01-kvm-hello/memory.h);
 * whether it gets them depends on what is free. Here they are certain, or the machine does
 * not start, and the message has the counts.
 */
#ifndef CHAPTER_07_RAM_FILE_H
#define CHAPTER_07_RAM_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/memory.h"
#include "common/refusal.h"

struct ram_file {
    int fd;        /* a file without a name in the folder; -1: anonymous memory */
    uint64_t size; /* of the RAM */
    bool at_once;  /* every page is there before the guest runs */
};

/*
 * Before privileges are dropped: a file of size bytes in folder (NULL: none), and a try
 * whether so much is there. 0, or -errno with why->text.
 */
int ram_file_open(struct ram_file *file, const char *folder, uint64_t size, bool at_once,
                  struct refusal *why);

/* For each boot: puts zeroed memory of the file under the regions, whose RAM it becomes. */
int ram_file_use(const struct ram_file *file, const struct guest_memory *memory,
                 struct refusal *why);

void ram_file_close(struct ram_file *file);

#endif
