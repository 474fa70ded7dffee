/*
 * ram_file.c: see ram_file.h. Open at hand: Linux's admin-guide/mm/hugetlbpage.rst.
 *
 * The regions keep their addresses, which are multiples of 2 MiB; the file is mapped over
 * the anonymous memory that was there. A guest that resets itself finds zeros: what it had
 * is punched out of the file.
 *
 * Left out on purpose: pages of 1 GiB, a file that has a name and outlives the machine, NUMA.
 * The balloon returns nothing to the host from such memory; it is the file's.
 */
#define _GNU_SOURCE
#include "07-linux-boot/ram_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/bits.h"

#define HUGE_PAGE (2 * MIB)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static long huge_pages(const char *which)
{
    char path[100], text[32] = "";
    int fd;

    snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/hugepages-2048kB/%s", which);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text - 1) < 0)
        text[0] = 0;
    if (fd >= 0)
        close(fd);
    return strtol(text, NULL, 10);
}

static int refuse_huge(const char *folder, uint64_t size, struct refusal *why)
{
    long free_pages = huge_pages("free_hugepages") - huge_pages("resv_hugepages");

    return refuse(why, -ENOMEM,
                  "-mem-path %s: %" PRIu64 " pages of 2 MiB are needed, %ld of %ld are free; "
                  "sysctl vm.nr_hugepages=N sets N aside",
                  folder, size / HUGE_PAGE, free_pages, huge_pages("nr_hugepages"));
}

/* Is there so much? A mapping of huge pages reserves them; a tmpfs only counts. */
static int try_it(int fd, const char *folder, uint64_t size, struct refusal *why)
{
    struct statfs info;
    void *all;

    if (fstatfs(fd, &info) < 0)
        return refuse(why, -errno, "-mem-path %s: %s", folder, strerror(errno));
    if (info.f_type == HUGETLBFS_MAGIC && (uint64_t)info.f_bsize != HUGE_PAGE)
        return refuse(why, -ENOTSUP, "-mem-path %s: pages of %ld KiB; those of 2048 KiB will do",
                      folder, info.f_bsize / 1024);
    if (info.f_type == HUGETLBFS_MAGIC && !is_aligned(size, HUGE_PAGE))
        return refuse(why, -EINVAL, "-mem-path %s: -m must be a multiple of 2 MiB", folder);
    if (info.f_type != HUGETLBFS_MAGIC && info.f_blocks > 0 &&
        (uint64_t)info.f_bavail * (uint64_t)info.f_bsize < size)
        return refuse(why, -ENOSPC,
                      "-mem-path %s: %" PRIu64 " MiB are needed, %" PRIu64 " are free", folder,
                      size / MIB, (uint64_t)info.f_bavail * (uint64_t)info.f_bsize / MIB);
    if (ftruncate(fd, (off_t)size) < 0)
        return refuse(why, -errno, "-mem-path %s: %s", folder, strerror(errno));
    all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (all == MAP_FAILED && info.f_type == HUGETLBFS_MAGIC)
        return refuse_huge(folder, size, why);
    if (all == MAP_FAILED)
        return refuse(why, -errno, "-mem-path %s: %s", folder, strerror(errno));
    munmap(all, size);
    return 0;
}

/* A file without a name: nothing stays behind, whatever happens to us. */
static int open_nameless(const char *folder)
{
    char path[4096];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || errno != EOPNOTSUPP)
        return fd;
    if (snprintf(path, sizeof path, "%s/vmm-ram-XXXXXX", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int ram_file_open(struct ram_file *file, const char *folder, uint64_t size, bool at_once,
                  struct refusal *why)
{
    int error;

    *file = (struct ram_file){.fd = -1, .size = size, .at_once = at_once};
    if (!folder)
        return 0;
    file->fd = open_nameless(folder);
    if (file->fd < 0)
        return refuse(why, -errno, "-mem-path %s: cannot make a file there: %s", folder,
                      strerror(errno));
    error = try_it(file->fd, folder, size, why);
    if (error < 0)
        ram_file_close(file);
    return error;
}

/* [ram-file-map] */
static int map_over(const struct ram_file *file, const struct guest_memory *memory,
                    struct refusal *why)
{
    off_t offset = 0;

    if (fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)file->size) < 0)
        return refuse(why, -errno, "-mem-path: cannot clear the file: %s", strerror(errno));
    for (unsigned i = 0; i < memory->count; i++) {
        const struct guest_region *region = &memory->regions[i];

        if (mmap(region->host, region->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                 file->fd, offset) == MAP_FAILED)
            return refuse(why, -errno, "-mem-path: cannot map %" PRIu64 " MiB: %s",
                          region->size / MIB, strerror(errno));
        offset += (off_t)region->size;
    }
    return 0;
}
/* [/ram-file-map] */

/* A kernel too old for the call does it page by page, when the guest comes there. */
static int populate(const struct guest_memory *memory, struct refusal *why)
{
    for (unsigned i = 0; i < memory->count; i++) {
        const struct guest_region *region = &memory->regions[i];

        if (madvise(region->host, region->size, MADV_POPULATE_WRITE) < 0 && errno != EINVAL)
            return refuse(why, -errno, "-mem-prealloc: %" PRIu64 " MiB of RAM are not there: %s",
                          region->size / MIB, strerror(errno));
    }
    return 0;
}

int ram_file_use(const struct ram_file *file, const struct guest_memory *memory,
                 struct refusal *why)
{
    int error = file->fd < 0 ? 0 : map_over(file, memory, why);

    return error == 0 && file->at_once ? populate(memory, why) : error;
}

void ram_file_close(struct ram_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
