/*
 * initrd.c: the file system that the kernel finds in memory when it starts.
 *
 *      1 MiB            kernel.start      kernel.end          limit
 *        +------------------+=================+-----------------+- - - - -
 *        |   second choice  |     kernel      |   first choice  |
 *        +------------------+=================+-----------------+- - - - -
 *                    <------|                          <--------|
 *
 * As high as possible, as boot loaders have always done: the kernel unpacks
 * itself and allocates from below. The limit is the end of low RAM or the last
 * address that the kernel's header allows, whichever comes first. A kernel that
 * sits at the top of a small RAM leaves room below it.
 * [BOOT, "Details of Header Fields"]: initrd_addr_max
 *
 * Left out on purpose: an initrd above 4 GiB, which newer kernels can take.
 */
#include "07-linux-boot/initrd.h"

#include <errno.h>
#include <inttypes.h>

#include "07-linux-boot/layout.h"
#include "common/bits.h"

static gpa_t smaller(gpa_t a, gpa_t b)
{
    return a < b ? a : b;
}

/* The highest page-aligned start of size bytes within [low, high). */
static bool place_within(gpa_t low, gpa_t high, uint64_t size, gpa_t *start)
{
    if (!fits(low, size, high))
        return false;
    *start = align_down(high - size, GUEST_PAGE_SIZE);
    return *start >= low;
}

/* The first address that the initrd's bytes may not have. */
static gpa_t initrd_limit(gpa_t ram_end, const struct kernel_image *kernel)
{
    return kernel->initrd_last < ram_end ? kernel->initrd_last + 1 : ram_end;
}

bool initrd_place(uint64_t size, gpa_t ram_end, const struct kernel_image *kernel, gpa_t *start)
{
    gpa_t limit = initrd_limit(ram_end, kernel);

    return place_within(kernel->end, limit, size, start) ||
           place_within(LAYOUT_HIGH_MEMORY, smaller(kernel->start, limit), size, start);
}

int initrd_load(const struct file *file, const struct guest_memory *memory,
                const struct kernel_image *kernel, struct initrd *initrd, struct refusal *why)
{
    gpa_t ram_end = ram_low_end(memory);
    gpa_t start;

    *initrd = (struct initrd){.size = 0};
    if (file->size == 0)
        return 0;
    if (!initrd_place(file->size, ram_end, kernel, &start))
        return refuse(why, -EINVAL,
                      "size: %" PRIu64 " KiB fit nowhere beside the kernel (0x%" PRIx64
                      " to 0x%" PRIx64 ") below 0x%" PRIx64 ", %s",
                      (file->size + KIB - 1) / KIB, kernel->start, kernel->end,
                      initrd_limit(ram_end, kernel),
                      kernel->initrd_last < ram_end ? "its setup_header.initrd_addr_max"
                                                    : "the end of low RAM; see -m");

    *initrd = (struct initrd){.start = start, .size = file->size};
    return file_read(file, 0, guest_ptr(memory, start, file->size), file->size, why);
}
