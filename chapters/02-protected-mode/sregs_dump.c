/*
 * sregs_dump.c: see sregs_dump.h.
 *
 * One table says which names there are, where each lives and how wide it is; writing
 * and reading both go by it, so they cannot disagree. Left out on purpose: apic_base
 * and interrupt_bitmap, which no rule concerns.
 */
#define _GNU_SOURCE /* strdup, strsep, strtok_r */
#include "02-protected-mode/sregs_dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/bits.h"

struct field {
    const char *name;
    size_t offset, size; /* in its struct; size in bytes */
};

#define IN(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)

static const struct field in_regs[] = {
    {"rip", IN(kvm_regs, rip)}, {"rflags", IN(kvm_regs, rflags)}, {"rax", IN(kvm_regs, rax)},
    {"rbx", IN(kvm_regs, rbx)}, {"rcx", IN(kvm_regs, rcx)},       {"rdx", IN(kvm_regs, rdx)},
    {"rsi", IN(kvm_regs, rsi)}, {"rdi", IN(kvm_regs, rdi)},       {"rsp", IN(kvm_regs, rsp)},
    {"rbp", IN(kvm_regs, rbp)}, {"r8", IN(kvm_regs, r8)},         {"r9", IN(kvm_regs, r9)},
    {"r10", IN(kvm_regs, r10)}, {"r11", IN(kvm_regs, r11)},       {"r12", IN(kvm_regs, r12)},
    {"r13", IN(kvm_regs, r13)}, {"r14", IN(kvm_regs, r14)},       {"r15", IN(kvm_regs, r15)},
};
static const struct field in_sregs[] = {
    {"cr0", IN(kvm_sregs, cr0)}, {"cr2", IN(kvm_sregs, cr2)}, {"cr3", IN(kvm_sregs, cr3)},
    {"cr4", IN(kvm_sregs, cr4)}, {"cr8", IN(kvm_sregs, cr8)}, {"efer", IN(kvm_sregs, efer)},
};
static const struct field segments[] = {
    {"cs", IN(kvm_sregs, cs)}, {"ss", IN(kvm_sregs, ss)},   {"ds", IN(kvm_sregs, ds)},
    {"es", IN(kvm_sregs, es)}, {"fs", IN(kvm_sregs, fs)},   {"gs", IN(kvm_sregs, gs)},
    {"tr", IN(kvm_sregs, tr)}, {"ldt", IN(kvm_sregs, ldt)},
};
static const struct field in_segment[] = {
    {"selector", IN(kvm_segment, selector)},
    {"base", IN(kvm_segment, base)},
    {"limit", IN(kvm_segment, limit)},
    {"type", IN(kvm_segment, type)},
    {"present", IN(kvm_segment, present)},
    {"dpl", IN(kvm_segment, dpl)},
    {"db", IN(kvm_segment, db)},
    {"s", IN(kvm_segment, s)},
    {"l", IN(kvm_segment, l)},
    {"g", IN(kvm_segment, g)},
    {"avl", IN(kvm_segment, avl)},
    {"unusable", IN(kvm_segment, unusable)},
};
static const struct field tables[] = {
    {"gdt", IN(kvm_sregs, gdt)},
    {"idt", IN(kvm_sregs, idt)},
};
static const struct field in_table[] = {
    {"base", IN(kvm_dtable, base)},
    {"limit", IN(kvm_dtable, limit)},
};

/* Both machines that this book runs on are little-endian, so a prefix copy will do. */
static uint64_t get(const void *in, const struct field *field)
{
    uint64_t value = 0;

    memcpy(&value, (const uint8_t *)in + field->offset, field->size);
    return value;
}

static void dump_fields(FILE *out, const void *in, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = get(in, &fields[i]);

        fprintf(out, fields[i].size == 1 && value < 2 ? " %s=%" PRIu64 : " %s=0x%" PRIx64,
                fields[i].name, value);
    }
    fputc('\n', out);
}

void sregs_dump(FILE *out, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    for (size_t i = 0; i < ARRAY_SIZE(in_sregs); i++)
        fprintf(out, "%s=0x%" PRIx64 "\n", in_sregs[i].name, get(sregs, &in_sregs[i]));
    for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
        fputs(segments[i].name, out);
        dump_fields(out, (const uint8_t *)sregs + segments[i].offset, in_segment,
                    ARRAY_SIZE(in_segment));
    }
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        fputs(tables[i].name, out);
        dump_fields(out, (const uint8_t *)sregs + tables[i].offset, in_table, ARRAY_SIZE(in_table));
    }
    for (size_t i = 0; i < ARRAY_SIZE(in_regs); i++)
        fprintf(out, "%s=0x%" PRIx64 "\n", in_regs[i].name, get(regs, &in_regs[i]));
}

static const struct field *find(const struct field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* Sets "name=number" in the struct at to. */
static int assign(void *to, const struct field *fields, size_t count, char *word, unsigned line,
                  struct refusal *why)
{
    char *equals = strchr(word, '='), *end;
    const struct field *field;
    uint64_t value;

    if (!equals)
        return refuse(why, -EINVAL, "line %u: \"%.40s\" is not NAME=NUMBER", line, word);
    *equals = '\0';
    field = find(fields, count, word);
    if (!field)
        return refuse(why, -EINVAL, "line %u: no register or field \"%.40s\"", line, word);
    errno = 0;
    value = strtoull(equals + 1, &end, 0);
    if (end == equals + 1 || *end || errno || equals[1] == '-')
        return refuse(why, -EINVAL, "line %u: %s: \"%.40s\" is no number", line, word, equals + 1);
    if (field->size < 8 && value >> (field->size * 8))
        return refuse(why, -EINVAL, "line %u: %s: 0x%" PRIx64 " needs more than %zu bits", line,
                      word, value, field->size * 8);
    memcpy((uint8_t *)to + field->offset, &value, field->size);
    return 0;
}

/* One line, without its end. seen has a bit for each register met so far. */
static int parse_line(char *text, unsigned line, struct kvm_regs *regs, struct kvm_sregs *sregs,
                      uint64_t *seen, struct refusal *why)
{
    char *save = NULL, *word, name[16] = "";
    const struct field *segment, *table, *field;
    uint64_t bit;
    int error = 0;

    text[strcspn(text, "#")] = '\0';
    word = strtok_r(text, " \t\r", &save);
    if (!word)
        return 0;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);

    segment = find(segments, ARRAY_SIZE(segments), name);
    table = find(tables, ARRAY_SIZE(tables), name);
    if ((field = find(in_regs, ARRAY_SIZE(in_regs), name)))
        bit = BIT(field - in_regs);
    else if ((field = find(in_sregs, ARRAY_SIZE(in_sregs), name)))
        bit = BIT(20 + (field - in_sregs));
    else if (segment)
        bit = BIT(30 + (segment - segments));
    else if (table)
        bit = BIT(40 + (table - tables));
    else
        return refuse(why, -EINVAL, "line %u: no register or field \"%.40s\"", line, name);
    if (*seen & bit)
        return refuse(why, -EINVAL, "line %u: %s is given twice", line, name);
    *seen |= bit;

    if (find(in_regs, ARRAY_SIZE(in_regs), name))
        return assign(regs, in_regs, ARRAY_SIZE(in_regs), word, line, why);
    if (find(in_sregs, ARRAY_SIZE(in_sregs), name))
        return assign(sregs, in_sregs, ARRAY_SIZE(in_sregs), word, line, why);
    while (error == 0 && (word = strtok_r(NULL, " \t\r", &save)))
        error = segment ? assign((uint8_t *)sregs + segment->offset, in_segment,
                                 ARRAY_SIZE(in_segment), word, line, why)
                        : assign((uint8_t *)sregs + table->offset, in_table, ARRAY_SIZE(in_table),
                                 word, line, why);
    return error;
}

int sregs_parse(const char *text, struct kvm_regs *regs, struct kvm_sregs *sregs,
                struct refusal *why)
{
    char *copy = strdup(text), *rest = copy, *line;
    unsigned number = 0;
    uint64_t seen = 0;
    int error = 0;

    if (!copy)
        return refuse(why, -ENOMEM, "no memory for a copy of the dump");
    *regs = (struct kvm_regs){0};
    *sregs = (struct kvm_sregs){0};
    while (error == 0 && (line = strsep(&rest, "\n")))
        error = parse_line(line, ++number, regs, sregs, &seen, why);
    free(copy);
    return error;
}
