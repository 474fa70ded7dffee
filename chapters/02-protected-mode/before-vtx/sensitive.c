/*
 * sensitive.c: see sensitive.h.
 *
 * One row for each sensitive instruction of 64-bit mode, as far as its opcode (and the
 * middle field of ModRM) tells. Left out on purpose: RDTSC and RDPMC, which CR4 can make
 * trap, and CPUID, which only newer processors can.
 */
#include "02-protected-mode/before-vtx/sensitive.h"

#include <errno.h>
#include <stdlib.h>

#include "common/bits.h"

#define ANY    0xffu /* whatever ModRM.reg says, or no ModRM at all */
#define MEMORY 0x80u /* this reg, and r/m is memory */

struct row {
    unsigned opcode;
    uint8_t reg; /* ModRM.reg, perhaps | MEMORY; or ANY */
    enum sensitivity kind;
    const char *name;
};

static const struct row rows[] = {
    {0xfa, ANY, TRAPS, "cli"},
    {0xfb, ANY, TRAPS, "sti"},
    {0xf4, ANY, TRAPS, "hlt"},
    {0x9c, ANY, SILENT, "pushf"},
    {0x9d, ANY, SILENT, "popf"},
    {0xcf, ANY, SILENT, "iret"},
    {0x8c, ANY, SILENT, "mov r, sreg"},
    {0x8e, ANY, SILENT, "mov sreg, r"},
    {0x0fa0, ANY, SILENT, "push fs"},
    {0x0fa8, ANY, SILENT, "push gs"},
    {0x0fa1, ANY, SILENT, "pop fs"},
    {0x0fa9, ANY, SILENT, "pop gs"},
    {0xca, ANY, SILENT, "retf"},
    {0xcb, ANY, SILENT, "retf"},
    {0xff, 3 | MEMORY, SILENT, "call far"},
    {0xff, 5 | MEMORY, SILENT, "jmp far"},
    {0xcd, ANY, SILENT, "int n"},
    {0x0f05, ANY, SILENT, "syscall"},
    {0x0f00, 0, SILENT, "sldt"},
    {0x0f00, 1, SILENT, "str"},
    {0x0f00, 2, TRAPS, "lldt"},
    {0x0f00, 3, TRAPS, "ltr"},
    {0x0f00, 4, SILENT, "verr"},
    {0x0f00, 5, SILENT, "verw"},
    {0x0f01, 0 | MEMORY, SILENT, "sgdt"},
    {0x0f01, 1 | MEMORY, SILENT, "sidt"},
    {0x0f01, 2 | MEMORY, TRAPS, "lgdt"},
    {0x0f01, 3 | MEMORY, TRAPS, "lidt"},
    {0x0f01, 4, SILENT, "smsw"},
    {0x0f01, 6, TRAPS, "lmsw"},
    {0x0f01, 7 | MEMORY, TRAPS, "invlpg"},
    {0x0f02, ANY, SILENT, "lar"},
    {0x0f03, ANY, SILENT, "lsl"},
    {0x0f06, ANY, TRAPS, "clts"},
    {0x0f07, ANY, TRAPS, "sysret"},
    {0x0f08, ANY, TRAPS, "invd"},
    {0x0f09, ANY, TRAPS, "wbinvd"},
    {0x0f20, ANY, TRAPS, "mov r, cr"},
    {0x0f21, ANY, TRAPS, "mov r, dr"},
    {0x0f22, ANY, TRAPS, "mov cr, r"},
    {0x0f23, ANY, TRAPS, "mov dr, r"},
    {0x0f30, ANY, TRAPS, "wrmsr"},
    {0x0f32, ANY, TRAPS, "rdmsr"},
    {0xe4, ANY, TRAPS, "in"},
    {0xe5, ANY, TRAPS, "in"},
    {0xe6, ANY, TRAPS, "out"},
    {0xe7, ANY, TRAPS, "out"},
    {0xec, ANY, TRAPS, "in"},
    {0xed, ANY, TRAPS, "in"},
    {0xee, ANY, TRAPS, "out"},
    {0xef, ANY, TRAPS, "out"},
    {0x6c, ANY, TRAPS, "ins"},
    {0x6d, ANY, TRAPS, "ins"},
    {0x6e, ANY, TRAPS, "outs"},
    {0x6f, ANY, TRAPS, "outs"},
};

enum sensitivity sensitivity(const struct insn *insn, const char **name)
{
    const unsigned reg = insn->modrm >> 3 & 7;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].opcode != insn->opcode)
            continue;
        if (rows[i].reg != ANY && (rows[i].reg & 7) != reg)
            continue;
        if (rows[i].reg != ANY && (rows[i].reg & MEMORY) && insn_is_register(insn))
            continue;
        *name = rows[i].name;
        return rows[i].kind;
    }
    return INNOCENT;
}

/* [sweep] */
int scan(const uint8_t *code, size_t size, struct scan *found)
{
    size_t room = 0;

    *found = (struct scan){0};
    for (size_t at = 0; at < size;) {
        enum sensitivity kind;
        struct insn insn;
        const char *name;

        if (!insn_decode(code + at, size - at, &insn)) {
            found->unknown++;
            at++;
            continue;
        }
        kind = sensitivity(&insn, &name);
        if (kind != INNOCENT) {
            if (found->count == room) {
                struct site *more = realloc(found->sites, (room = room * 2 + 16) * sizeof *more);

                if (!more) {
                    scan_free(found);
                    return -ENOMEM;
                }
                found->sites = more;
            }
            found->sites[found->count++] = (struct site){
                .offset = (uint32_t)at, .kind = kind, .name = name, .first = code[at]};
        }
        at += insn.length;
    }
    return 0;
}

unsigned scan_patch(uint8_t *code, struct scan *found)
{
    unsigned patched = 0;

    for (unsigned i = 0; i < found->count; i++) {
        if (found->sites[i].kind != SILENT)
            continue;
        code[found->sites[i].offset] = PATCH_INT3;
        patched++;
    }
    return patched;
}
/* [/sweep] */

void scan_free(struct scan *found)
{
    free(found->sites);
    *found = (struct scan){0};
}

const struct site *scan_find(const struct scan *found, uint64_t offset)
{
    unsigned low = 0, high = found->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (found->sites[middle].offset == offset)
            return &found->sites[middle];
        if (found->sites[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
