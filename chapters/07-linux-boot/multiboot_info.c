/*
 * multiboot_info.c: what a Multiboot kernel is told, and the modules it is given.
 *
 *     LAYOUT_BOOT_INFO   multiboot_info | memory map | loader's name
 *     LAYOUT_MODULES     list of modules | their texts, one behind the other
 *
 *     kernel.end ...     module 0 | module 1 | ...   each on a page of its own
 *
 * Left out on purpose: symbols, drives, APM, and what a BIOS would know.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "07-linux-boot/e820.h"
#include "07-linux-boot/layout.h"
#include "07-linux-boot/multiboot.h"
#include "common/bits.h"

#define INFO_AT LAYOUT_BOOT_INFO
#define MAP_AT  (INFO_AT + sizeof(struct multiboot_info))
#define NAME_AT (MAP_AT + E820_ENTRIES_MAX * sizeof(struct multiboot_memory))
#define LOADER  "Ring -1"
_Static_assert(NAME_AT + sizeof LOADER <= LAYOUT_BOOT_INFO + LAYOUT_BOOT_INFO_SIZE, "room");

#define TEXTS_AT (LAYOUT_MODULES + MULTIBOOT_MODULES_MAX * sizeof(struct multiboot_module))
#define TEXT_MAX 1024u /* a file's name and its arguments */

struct modules {
    const struct guest_memory *memory;
    struct multiboot_module list[MULTIBOOT_MODULES_MAX];
    unsigned count;
    gpa_t next, text; /* where the next module goes, and its text */
};

/* The next text of the list, up to a comma; two of them are one in it. */
static int next_text(const char **list, char text[TEXT_MAX], struct refusal *why)
{
    size_t length = 0;

    for (; **list && (**list != ',' || (*list)[1] == ','); (*list)++) {
        if (**list == ',')
            (*list)++;
        if (length == TEXT_MAX - 1)
            return refuse(why, -EINVAL, "-initrd: a module's text is longer than %u characters",
                          TEXT_MAX - 1);
        text[length++] = **list;
    }
    text[length] = '\0';
    if (**list == ',')
        (*list)++;
    return length > 0 ? 0 : refuse(why, -EINVAL, "-initrd: a module without a name");
}

static int place_module(const struct modules *m, const char *path, const struct file *file,
                        struct refusal *why)
{
    gpa_t ram_end = ram_low_end(m->memory);

    if (!fits(m->next, file->size, ram_end))
        return refuse(why, -EINVAL,
                      "%.200s: size: %" PRIu64 " KiB from 0x%" PRIx64
                      " on do not fit into RAM below 4 GiB, which ends at 0x%" PRIx64 "; see -m",
                      path, (file->size + KIB - 1) / KIB, m->next, ram_end);
    return 0;
}

static int read_module(struct modules *m, const char *path, struct multiboot_module *module,
                       struct refusal *why)
{
    struct refusal inner;
    struct file file;
    int error = file_open(&file, path, &inner);

    if (error < 0)
        return refuse(why, error, "%.200s: %.180s", path, inner.text);
    error = place_module(m, path, &file, why);
    if (error == 0) {
        void *to = guest_ptr(m->memory, m->next, file.size);

        module->start = (uint32_t)m->next;
        module->end = (uint32_t)(m->next + file.size);
        m->next = align_up(m->next + file.size, GUEST_PAGE_SIZE);
        error = file_read(&file, 0, to, file.size, &inner);
        if (error < 0)
            refuse(why, error, "%.200s: %.180s", path, inner.text);
    }
    file_close(&file);
    return error;
}

static int write_text(struct modules *m, const char *text, struct multiboot_module *module,
                      struct refusal *why)
{
    size_t size = strlen(text) + 1;

    if (!fits(m->text, size, LAYOUT_MODULES + LAYOUT_MODULES_SIZE))
        return refuse(why, -EINVAL, "-initrd: the modules' texts are longer than %u characters",
                      (unsigned)(LAYOUT_MODULES + LAYOUT_MODULES_SIZE - TEXTS_AT));
    memcpy(guest_ptr(m->memory, m->text, size), text, size);
    module->text = (uint32_t)m->text;
    m->text += size;
    return 0;
}

static int load_modules(struct modules *m, const char *list, struct refusal *why)
{
    while (list && *list) {
        struct multiboot_module *module = &m->list[m->count];
        char text[TEXT_MAX], path[TEXT_MAX];
        int error = next_text(&list, text, why);

        if (error < 0)
            return error;
        if (m->count == MULTIBOOT_MODULES_MAX)
            return refuse(why, -EINVAL, "-initrd: more than %u modules", MULTIBOOT_MODULES_MAX);
        strcpy(path, text);
        path[strcspn(path, " ")] = '\0';
        *module = (struct multiboot_module){.reserved = 0};
        error = read_module(m, path, module, why);
        if (error == 0)
            error = write_text(m, text, module, why);
        if (error < 0)
            return error;
        m->count++;
    }
    return 0;
}

static uint32_t write_memory_map(const struct guest_memory *memory)
{
    struct boot_e820_entry table[E820_ENTRIES_MAX];
    unsigned count = e820_build(memory, table);
    struct multiboot_memory *map = guest_ptr(memory, MAP_AT, count * sizeof *map);

    assert(map);
    for (unsigned i = 0; i < count; i++)
        map[i] = (struct multiboot_memory){.size = sizeof *map - sizeof map->size,
                                           .start = table[i].addr,
                                           .length = table[i].size,
                                           .type = table[i].type};
    return (uint32_t)(count * sizeof *map);
}

static void write_info(const struct modules *m)
{
    const struct guest_memory *memory = m->memory;
    struct multiboot_info *info = guest_ptr(memory, INFO_AT, sizeof *info);
    void *list = guest_ptr(memory, LAYOUT_MODULES, sizeof m->list);

    assert(info && list);
    memcpy(list, m->list, m->count * sizeof m->list[0]);
    memcpy(guest_ptr(memory, NAME_AT, sizeof LOADER), LOADER, sizeof LOADER);
    *info = (struct multiboot_info){
        .flags = MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_MODULES |
                 MULTIBOOT_INFO_MMAP | MULTIBOOT_INFO_LOADER,
        .mem_lower = LAYOUT_EBDA / KIB,
        .mem_upper = (uint32_t)((ram_low_end(memory) - LAYOUT_HIGH_MEMORY) / KIB),
        .cmdline = LAYOUT_CMDLINE,
        .mods_count = m->count,
        .mods_addr = LAYOUT_MODULES,
        .mmap_length = write_memory_map(memory),
        .mmap_addr = MAP_AT,
        .boot_loader_name = NAME_AT,
    };
}

int multiboot_write(const struct guest_memory *memory, const struct kernel_image *kernel,
                    const char *list, gpa_t *info, struct refusal *why)
{
    struct modules modules = {
        .memory = memory, .next = align_up(kernel->end, GUEST_PAGE_SIZE), .text = TEXTS_AT};
    int error = load_modules(&modules, list, why);

    if (error < 0)
        return error;
    write_info(&modules);
    *info = INFO_AT;
    return 0;
}
