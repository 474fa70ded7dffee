/*
 * boot.c: loads everything that a kernel must find when it starts.
 *
 *     kernel  --what is it?-->  bzimage_load  -+
 *                               elf_load      -+-> struct kernel_image
 *                               multiboot_load-+        |
 *                                                       |
 *     command line ---------->  LAYOUT_CMDLINE          |  how long it may be
 *     initrd  --------------->  initrd_load  <----------+  where the kernel is not
 *                               zero_page_write, pvh_write or multiboot_write
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
#include "07-linux-boot/multiboot.h"
#include "07-linux-boot/pvh.h"
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

/* [refuse-packed] */
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
/* [/refuse-packed] */

static int load_by_content(const struct file *file, const struct guest_memory *memory,
                           struct kernel_image *kernel, struct refusal *why)
{
    static const uint32_t magic = SETUP_MAGIC;
    uint64_t offset;
    bool is_elf;
    uint8_t head[BZIMAGE_HEAD_SIZE] = {0}; /* a short file goes on with zeros */
    size_t size = file->size < sizeof head ? file->size : sizeof head;
    int error = file_read(file, 0, head, size, why);

    if (error < 0)
        return error;
    is_elf = has(head, 0, ELFMAG, SELFMAG);
    if (!is_elf && has(head, offsetof(struct boot_params, hdr.header), &magic, sizeof magic))
        return bzimage_load(file, memory, kernel, why);
    if (multiboot_find(file, &offset))
        return multiboot_load(file, offset, memory, kernel, why);
    if (is_elf)
        return elf_load(file, memory, kernel, why);
    error = refuse_packed(head, why);
    if (error < 0)
        return error;
    return bzimage_load(file, memory, kernel, why); /* or says what is missing */
}

/* What is open already stays so: its owner boots from it again at the next reset. */
static int take_file(const char *path, const struct file *held, struct file *file,
                     struct refusal *why)
{
    if (!held)
        return file_open(file, path, why);
    *file = *held;
    return 0;
}

static void give_back(const struct file *held, struct file *file)
{
    if (!held)
        file_close(file);
}

static int load_kernel(const struct boot_request *request, struct kernel_image *kernel,
                       struct refusal *why)
{
    struct file file;
    int error = take_file(request->kernel, request->kernel_file, &file, why);

    if (error < 0)
        return blame(request->kernel, error, why);
    error = load_by_content(&file, request->memory, kernel, why);
    if (error < 0)
        blame(request->kernel, error, why);
    give_back(request->kernel_file, &file);
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
    error = take_file(request->initrd, request->initrd_file, &file, why);
    if (error < 0)
        return blame(request->initrd, error, why);
    error = initrd_load(&file, request->memory, kernel, initrd, why);
    if (error < 0)
        blame(request->initrd, error, why);
    give_back(request->initrd_file, &file);
    return error;
}

/* Linux would cut a long command line silently, and lose the last option. */
static int write_cmdline(const struct boot_request *request, const struct kernel_image *kernel,
                         struct refusal *why)
{
    /* A Multiboot kernel is a program: the first word is its name. */
    const char *name = kernel->protocol == BOOT_MULTIBOOT ? request->kernel : "";
    size_t named = strlen(name) + (*name != '\0'), length = named + strlen(request->cmdline);
    uint64_t max = kernel->cmdline_max;
    char *text;

    if (max > LAYOUT_CMDLINE_SIZE - 1)
        max = LAYOUT_CMDLINE_SIZE - 1;
    if (length > max) {
        refuse(why, -EINVAL,
               "setup_header.cmdline_size: at most %" PRIu64 " characters, "
               "but the command line (-append) has %zu",
               max, length);
        return blame(request->kernel, -EINVAL, why);
    }
    text = guest_ptr(request->memory, LAYOUT_CMDLINE, length + 1);
    if (named) {
        memcpy(text, name, named - 1);
        text[named - 1] = ' ';
    }
    memcpy(text + named, request->cmdline, length - named + 1);
    return 0;
}

/* The zero page's extras: random bytes, so that the kernel need not wait for its own. */
static gpa_t write_seed(const struct boot_request *request)
{
    struct setup_data *data;

    if (!request->seed)
        return 0;
    data = guest_ptr(request->memory, LAYOUT_SETUP_DATA, sizeof *data + BOOT_SEED_SIZE);
    *data = (struct setup_data){.type = SETUP_RNG_SEED, .len = BOOT_SEED_SIZE};
    memcpy(data->data, request->seed, BOOT_SEED_SIZE);
    return LAYOUT_SETUP_DATA;
}

static int tell_linux(const struct boot_request *request, const struct kernel_image *kernel,
                      struct boot_entry *entry, struct refusal *why)
{
    struct initrd initrd;
    int error = load_initrd(request, kernel, &initrd, why);

    if (error < 0)
        return error;
    zero_page_write(request->memory, kernel, &initrd, write_seed(request), request->rsdp);
    if (request->screen)
        zero_page_screen(request->memory);
    entry->mode = ENTRY_LONG;
    entry->rsi = LAYOUT_ZERO_PAGE;
    entry->cr3 = LAYOUT_PML4;
    return 0;
}

static int tell_pvh(const struct boot_request *request, const struct kernel_image *kernel,
                    struct boot_entry *entry, struct refusal *why)
{
    struct initrd initrd;
    int error = load_initrd(request, kernel, &initrd, why);

    if (error < 0)
        return error;
    entry->mode = ENTRY_PROTECTED;
    entry->rbx = pvh_write(request->memory, &initrd, request->rsdp);
    return 0;
}

static int tell_multiboot(const struct boot_request *request, const struct kernel_image *kernel,
                          struct boot_entry *entry, struct refusal *why)
{
    entry->mode = ENTRY_PROTECTED;
    entry->rax = MULTIBOOT_LOADER_MAGIC;
    return multiboot_write(request->memory, kernel, request->initrd, &entry->rbx, why);
}

/* What the kernel must know, in the words of its protocol. */
static int tell(const struct boot_request *request, const struct kernel_image *kernel,
                struct boot_entry *entry, struct refusal *why)
{
    *entry = (struct boot_entry){.rip = kernel->entry, .rsp = LAYOUT_STACK_TOP, .gdt = LAYOUT_GDT};
    switch (kernel->protocol) {
    case BOOT_PVH: return tell_pvh(request, kernel, entry, why);
    case BOOT_MULTIBOOT: return tell_multiboot(request, kernel, entry, why);
    default: return tell_linux(request, kernel, entry, why);
    }
}

int boot_load(const struct boot_request *request, struct boot_entry *entry, struct refusal *why)
{
    uint64_t ram_end = ram_low_end(request->memory);
    struct kernel_image kernel = {.start = 0};
    int error;

    if (ram_end < RAM_SIZE_MIN)
        return refuse(why, -EINVAL,
                      "-m: %" PRIu64 " KiB of RAM; the boot structures alone take %" PRIu64,
                      ram_end / KIB, RAM_SIZE_MIN / KIB);

    error = load_kernel(request, &kernel, why);
    if (error == 0)
        error = write_cmdline(request, &kernel, why);
    if (error == 0)
        error = tell(request, &kernel, entry, why);
    if (error == 0)
        entry_write_tables(request->memory, entry->mode);
    return error;
}
