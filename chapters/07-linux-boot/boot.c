/*
 * boot.c: loads everything that a kernel must find when it starts.
 *
 *     kernel  --what is it?-->  bzimage_load  -+
 *                               elf_load      -+-> struct kernel_image
 *                                                       |
 *     initrd  --------------->  initrd_load  <----------+  where the kernel is not
 *     command line ---------->  LAYOUT_CMDLINE          |  how long it may be
 *                               zero_page_write  <------+
 *                               entry_write_tables -> struct boot_entry
 *
 * The kernel comes first, because its header bounds everything else.
 *
 * What a file is, its first bytes say; its name says nothing. A format we cannot
 * load is named, with what to do, for the mistakes that people make: a packed
 * vmlinux, above all.
 */
#include "07-linux-boot/boot.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "07-linux-boot/bzimage.h"
#include "07-linux-boot/elf.h"
#include "07-linux-boot/initrd.h"
#include "07-linux-boot/layout.h"
#include "07-linux-boot/zero_page.h"
#include "common/bits.h"
#include "common/file.h"

/*
 * Puts the file's name in front of a refusal. A long path loses its beginning,
 * for the field must stay.
 */
static int blame(const char *path, int error, struct refusal *why)
{
    struct refusal inner = *why;
    size_t taken = sizeof "...: " + strlen(inner.text);
    size_t room = taken < sizeof why->text ? sizeof why->text - taken : 0;
    size_t length = strlen(path);

    if (length > room)
        return refuse(why, error, "...%s: %s", path + length - room, inner.text);
    return refuse(why, error, "%s: %s", path, inner.text);
}

static bool has(const uint8_t *head, size_t offset, const void *bytes, size_t count)
{
    return memcmp(head + offset, bytes, count) == 0;
}

/* The formats in which people keep a vmlinux, by their first bytes. */
static int refuse_packed(const uint8_t *head, struct refusal *why)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *name, *unpack;
    } packed[] = {
        {"\x1f\x8b", 2, "gzip", "gunzip"},           {"\xfd\x37zXZ", 5, "xz", "unxz"},
        {"\x28\xb5\x2f\xfd", 4, "zstd", "unzstd"},   {"\x04\x22\x4d\x18", 4, "lz4", "unlz4"},
        {"\x02\x21\x4c\x18", 4, "old lz4", "unlz4"}, {"BZh", 3, "bzip2", "bunzip2"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(packed); i++)
        if (has(head, 0, packed[i].magic, packed[i].length))
            return refuse(why, -EINVAL,
                          "contents: packed with %s and no bzImage; unpack it first (%s)",
                          packed[i].name, packed[i].unpack);
    return 0;
}

static int load_by_content(const struct file *file, const struct guest_memory *memory,
                           struct kernel_image *kernel, struct refusal *why)
{
    static const uint32_t magic = SETUP_MAGIC;
    uint8_t head[BZIMAGE_HEAD_SIZE] = {0}; /* a short file goes on with zeros */
    size_t size = file->size < sizeof head ? file->size : sizeof head;
    int error = file_read(file, 0, head, size, why);

    if (error < 0)
        return error;
    if (has(head, 0, ELFMAG, SELFMAG))
        return elf_load(file, memory, kernel, why);
    if (!has(head, offsetof(struct boot_params, hdr.header), &magic, sizeof magic))
        error = refuse_packed(head, why);
    if (error < 0)
        return error;
    return bzimage_load(file, memory, kernel, why); /* or says what is missing */
}

static int load_kernel(const struct boot_request *request, struct kernel_image *kernel,
                       struct refusal *why)
{
    struct file file;
    int error = file_open(&file, request->kernel, why);

    if (error < 0)
        return blame(request->kernel, error, why);
    error = load_by_content(&file, request->memory, kernel, why);
    if (error < 0)
        blame(request->kernel, error, why);
    file_close(&file);
    return error;
}

static int load_initrd(const struct boot_request *request, const struct kernel_image *kernel,
                       struct initrd *initrd, struct refusal *why)
{
    struct file file;
    int error;

    *initrd = (struct initrd){.size = 0};
    if (!request->initrd)
        return 0;
    error = file_open(&file, request->initrd, why);
    if (error < 0)
        return blame(request->initrd, error, why);
    error = initrd_load(&file, request->memory, kernel, initrd, why);
    if (error < 0)
        blame(request->initrd, error, why);
    file_close(&file);
    return error;
}

/* Linux would cut a long command line silently, and lose the last option. */
static int write_cmdline(const struct boot_request *request, const struct kernel_image *kernel,
                         struct refusal *why)
{
    size_t length = strlen(request->cmdline);
    uint64_t max = kernel->cmdline_max;

    if (max > LAYOUT_CMDLINE_SIZE - 1)
        max = LAYOUT_CMDLINE_SIZE - 1;
    if (length > max) {
        refuse(why, -EINVAL,
               "setup_header.cmdline_size: at most %" PRIu64 " characters, "
               "but the command line (-append) has %zu",
               max, length);
        return blame(request->kernel, -EINVAL, why);
    }
    memcpy(guest_ptr(request->memory, LAYOUT_CMDLINE, length + 1), request->cmdline, length + 1);
    return 0;
}

int boot_load(const struct boot_request *request, struct boot_entry *entry, struct refusal *why)
{
    const struct guest_memory *memory = request->memory;
    struct kernel_image kernel = {.start = 0};
    struct initrd initrd;
    int error;

    if (ram_low_end(memory) < RAM_SIZE_MIN)
        return refuse(why, -EINVAL,
                      "-m: %" PRIu64 " KiB of RAM; the boot structures alone take %" PRIu64,
                      ram_low_end(memory) / KIB, RAM_SIZE_MIN / KIB);

    error = load_kernel(request, &kernel, why);
    if (error == 0)
        error = load_initrd(request, &kernel, &initrd, why);
    if (error == 0)
        error = write_cmdline(request, &kernel, why);
    if (error < 0)
        return error;

    zero_page_write(memory, &kernel, &initrd);
    entry_write_tables(memory);
    *entry = (struct boot_entry){
        .rip = kernel.entry,
        .rsi = LAYOUT_ZERO_PAGE,
        .rsp = LAYOUT_STACK_TOP,
        .cr3 = LAYOUT_PML4,
        .gdt = LAYOUT_GDT,
    };
    return 0;
}
