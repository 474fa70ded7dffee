/*
 * pvh.c: see pvh.h.
 *
 * A note, as it lies in the file [GABI, "Note Section"]:
 *
 *     +--------+--------+--------+----------------+----------------+
 *     | namesz | descsz | type   | name, padded   | desc, padded   |  next note
 *     +--------+--------+--------+----------------+----------------+
 *       4        4        4        to 4 bytes       to 4 bytes
 *
 * A segment of notes has several, of several owners. Those that reach beyond their segment
 * end the search: a kernel without our note is not a bad one.
 *
 * Left out on purpose: Xen's other notes, and more than one module.
 */
#include "07-linux-boot/pvh.h"

#include <assert.h>
#include <elf.h>
#include <string.h>

#include "07-linux-boot/e820.h"
#include "07-linux-boot/layout.h"
#include "common/bits.h"

#define XEN_OWNER                "Xen"
#define XEN_ELFNOTE_PHYS32_ENTRY 18u
#define NOTES_MAX                256u /* of one segment; Linux has 17 */

/* The structures, one behind the other. */
#define INFO_AT    LAYOUT_BOOT_INFO
#define MODULES_AT (INFO_AT + sizeof(struct pvh_start_info))
#define MAP_AT     (MODULES_AT + sizeof(struct pvh_module))

_Static_assert(MAP_AT % 8 == 0, "the memory map is aligned");
_Static_assert(MAP_AT + E820_ENTRIES_MAX * sizeof(struct pvh_memory) <=
                   LAYOUT_BOOT_INFO + LAYOUT_BOOT_INFO_SIZE,
               "the page has room");

/* Is it the note, at offset in the file, with its name and contents behind it? */
static bool is_entry(const struct file *file, uint64_t at, const Elf64_Nhdr *note, gpa_t *entry)
{
    char owner[sizeof XEN_OWNER];
    uint64_t address = 0;
    struct refusal ignored;

    if (note->n_type != XEN_ELFNOTE_PHYS32_ENTRY || note->n_namesz != sizeof owner ||
        (note->n_descsz != 4 && note->n_descsz != 8))
        return false;
    if (file_read(file, at + sizeof *note, owner, sizeof owner, &ignored) < 0 ||
        file_read(file, at + sizeof *note + sizeof owner, &address, note->n_descsz, &ignored) < 0)
        return false;
    *entry = address;
    return memcmp(owner, XEN_OWNER, sizeof owner) == 0;
}

static bool find_in(const struct file *file, const struct elf_segment *notes, gpa_t *entry)
{
    uint64_t at = notes->offset, end = notes->offset + notes->file_size;

    for (unsigned i = 0; i < NOTES_MAX && fits(at, sizeof(Elf64_Nhdr), end); i++) {
        struct refusal ignored;
        Elf64_Nhdr note;
        uint64_t size;

        if (file_read(file, at, &note, sizeof note, &ignored) < 0)
            return false;
        size = sizeof note + align_up((uint64_t)note.n_namesz, 4) +
               align_up((uint64_t)note.n_descsz, 4);
        if (!fits(at, size, end))
            return false;
        if (is_entry(file, at, &note, entry))
            return true;
        at += size;
    }
    return false;
}

bool pvh_find_entry(const struct file *file, const struct elf *elf, gpa_t *entry)
{
    gpa_t found;

    for (unsigned i = 0; i < elf->note_count; i++)
        if (find_in(file, &elf->notes[i], &found)) {
            *entry = found;
            return true;
        }
    return false;
}

static uint32_t write_memory_map(const struct guest_memory *memory)
{
    struct boot_e820_entry table[E820_ENTRIES_MAX];
    unsigned count = e820_build(memory, table);
    struct pvh_memory *map = guest_ptr(memory, MAP_AT, count * sizeof *map);

    assert(map);
    for (unsigned i = 0; i < count; i++)
        map[i] = (struct pvh_memory){
            .start = table[i].addr, .size = table[i].size, .type = table[i].type};
    return count;
}

gpa_t pvh_write(const struct guest_memory *memory, const struct initrd *initrd, gpa_t rsdp)
{
    struct pvh_start_info *info = guest_ptr(memory, INFO_AT, sizeof *info);
    struct pvh_module *module = guest_ptr(memory, MODULES_AT, sizeof *module);

    assert(info && module);
    *module = (struct pvh_module){.start = initrd->start, .size = initrd->size};
    *info = (struct pvh_start_info){
        .magic = PVH_START_MAGIC,
        .version = 1, /* with a memory map */
        .module_count = initrd->size ? 1 : 0,
        .modules = initrd->size ? MODULES_AT : 0,
        .cmdline = LAYOUT_CMDLINE,
        .rsdp = rsdp,
        .memory_map = MAP_AT,
        .memory_map_count = write_memory_map(memory),
    };
    return INFO_AT;
}
