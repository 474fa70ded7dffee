/*
 * dump.c: see dump.h.
 *
 * Every entry of the guest's table lies at a guest-physical address, which the second
 * dimension must translate before the entry can be read. The text shows both: a row
 * for each entry, and in the row the four indices that a nested table would be asked
 * for and the place in our process that stands at the end.
 */
#include "03-paging-ept/dump.h"

#include <inttypes.h>

#include "03-paging-ept/ept.h"
#include "03-paging-ept/pagemap.h"
#include "common/bits.h"

static void print_flags(FILE *out, uint64_t entry)
{
    static const struct {
        uint64_t bit;
        char letter;
    } flags[] = {{PTE_P, 'P'}, {PTE_W, 'W'},  {PTE_U, 'U'}, {PTE_A, 'A'},
                 {PTE_D, 'D'}, {PTE_PS, 'S'}, {PTE_G, 'G'}, {PTE_NX, 'X'}};

    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
        fputc(entry & flags[i].bit ? flags[i].letter : '-', out);
}

/* "slot 0" and so on, for a guest-physical address. */
static void print_second(FILE *out, const struct slot_map *slots, gpa_t gpa)
{
    const struct slot *slot = slots_find(slots, gpa);

    fprintf(out, "nested %u/%u/%u/%u, ", (unsigned)bits(gpa, 47, 39), (unsigned)bits(gpa, 38, 30),
            (unsigned)bits(gpa, 29, 21), (unsigned)bits(gpa, 20, 12));
    if (!slot)
        fprintf(out, "no slot: MMIO");
    else
        fprintf(out, "slot %u%s + 0x%" PRIx64, (unsigned)(slot - slots->slots),
                slot->flags & SLOT_READ_ONLY ? " (ROM)" : "", gpa - slot->start);
}

static const char *status_text(const struct walk *w)
{
    switch (w->status) {
    case WALK_OK: return "mapped";
    case WALK_PAGE_FAULT: return "page fault";
    case WALK_NON_CANONICAL: return "not canonical";
    case WALK_NO_TABLE: return "the table lies outside RAM";
    }
    return "?";
}

void dump_walk_text(FILE *out, const struct slot_map *slots, const struct paging *paging,
                    uint64_t linear, unsigned access)
{
    struct guest_memory view = slots_view(slots);
    struct walk w = walk(&view, paging, linear, access);
    unsigned levels = walk_levels(paging);

    fprintf(out, "linear 0x%" PRIx64 ", CR3 0x%" PRIx64 ", %u levels\n", linear, paging->cr3,
            levels);
    for (unsigned i = 0; i < w.step_count; i++) {
        const struct walk_step *step = &w.steps[i];

        fprintf(out, "  %-4s[%3u] at 0x%-8" PRIx64 " = 0x%-10" PRIx64 " ",
                walk_level_name(step->level), step->index, step->entry_at, step->entry);
        print_flags(out, step->entry);
        fprintf(out, "   ");
        print_second(out, slots, step->entry_at);
        fprintf(out, "\n");
    }
    if (w.status != WALK_OK) {
        fprintf(out, "  %s", status_text(&w));
        if (w.status == WALK_PAGE_FAULT)
            fprintf(out, ", error code 0x%x: %s", w.error_code, walk_reason_text(w.reason));
        fprintf(out, "\n");
        return;
    }
    fprintf(out, "  guest-physical 0x%" PRIx64 ", page of %" PRIu64 " KiB   ", w.gpa,
            w.page_size / KIB);
    print_second(out, slots, w.gpa);
    fprintf(out, "\n  %u reads with one dimension, up to %u with two\n", w.step_count,
            ept_references(w.step_count, 4));
}

static void json_host(FILE *out, const struct slot_map *slots, gpa_t gpa)
{
    const struct slot *slot = slots_find(slots, gpa);
    struct host_page page;

    fprintf(out, "\"nested\": [%u, %u, %u, %u], ", (unsigned)bits(gpa, 47, 39),
            (unsigned)bits(gpa, 38, 30), (unsigned)bits(gpa, 29, 21), (unsigned)bits(gpa, 20, 12));
    if (!slot) {
        fprintf(out, "\"slot\": null");
        return;
    }
    fprintf(out, "\"slot\": %u, \"host_virtual\": \"0x%" PRIxPTR "\"",
            (unsigned)(slot - slots->slots), (uintptr_t)slots_host(slots, gpa));
    if (host_page_of(slots_host(slots, gpa), &page) == 0 && page.frame_known)
        fprintf(out, ", \"host_physical\": \"0x%" PRIx64 "\"", page.frame + gpa % 4096);
}

void dump_walk_json(FILE *out, const struct slot_map *slots, const struct paging *paging,
                    uint64_t linear, unsigned access)
{
    struct guest_memory view = slots_view(slots);
    struct walk w = walk(&view, paging, linear, access);

    fprintf(out,
            "{\"linear\": \"0x%" PRIx64 "\", \"cr3\": \"0x%" PRIx64 "\", \"levels\": %u,\n"
            " \"status\": \"%s\", \"reason\": \"%s\", \"error_code\": %u,\n \"steps\": [",
            linear, paging->cr3, walk_levels(paging), status_text(&w), walk_reason_text(w.reason),
            w.error_code);
    for (unsigned i = 0; i < w.step_count; i++) {
        const struct walk_step *step = &w.steps[i];

        fprintf(out,
                "%s\n  {\"level\": %u, \"name\": \"%s\", \"index\": %u, \"entry_at\": \"0x%" PRIx64
                "\", \"entry\": \"0x%" PRIx64 "\", ",
                i ? "," : "", step->level, walk_level_name(step->level), step->index,
                step->entry_at, step->entry);
        json_host(out, slots, step->entry_at);
        fprintf(out, "}");
    }
    fprintf(out, "]");
    if (w.status == WALK_OK) {
        fprintf(out, ",\n \"guest_physical\": \"0x%" PRIx64 "\", \"page_size\": %" PRIu64 ", ",
                w.gpa, w.page_size);
        json_host(out, slots, w.gpa);
    }
    fprintf(out, "}\n");
}
