/*
 * cpu_model.c: see cpu_model.h.
 *
 * Left out on purpose: models with names of their own (they serve migration between hosts),
 * and features that depend on each other: a guest that is shown AVX2 without AVX sorts that
 * out as it would on silicon.
 */
#include "07-linux-boot/cpu_model.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/cpu_flags.h"
#include "07-linux-boot/properties.h"
#include "07-linux-boot/spelling.h"
#include "common/bits.h"

#define NESTED_SVM_LEAF 0x8000000au

/* QEMU's names that /proc/cpuinfo spells in another way. */
static const struct {
    const char *name, *flag;
} aliases[] = {{"sse3", "pni"},
               {"pclmulqdq-ni", "pclmulqdq"},
               {"tsc-deadline", "tsc_deadline_timer"},
               {"sha-ni", "sha_ni"},
               {"lzcnt", "abm"},
               {"i64", "lm"}};

/* '-', '_' and '.' are one: "sse4.1", "sse4-1" and "sse4_1". */
static bool same(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        bool both = strchr("-_.", *a) && strchr("-_.", *b);

        if (!both && tolower((unsigned char)*a) != *b)
            return false;
    }
    return *a == *b;
}

static const struct cpu_flag *find(const char *name, struct refusal *why)
{
    struct spelling spelling = spelling_of(name);

    for (unsigned i = 0; i < ARRAY_SIZE(aliases); i++)
        if (same(name, aliases[i].name))
            name = aliases[i].flag;
    for (const struct cpu_flag *flag = cpu_flags; flag->name; flag++) {
        if (same(name, flag->name))
            return flag;
        spelling_offer(&spelling, flag->name);
    }
    if (spelling.best)
        refuse(why, 0, "\"%.40s\" is no flag that is known: did you mean %s?", name, spelling.best);
    else
        refuse(why, 0, "\"%.40s\" is no flag that is known: -cpu help lists them", name);
    return NULL;
}

static int change(struct cpu_model *model, const char *name, bool on, struct refusal *why)
{
    const struct cpu_flag *flag = find(name, why);

    if (!flag)
        return -EINVAL;
    if (model->count == CPU_CHANGES_MAX)
        return refuse(why, -EINVAL, "more than %u changes", CPU_CHANGES_MAX);
    model->changes[model->count].flag = flag;
    model->changes[model->count++].on = on;
    return 0;
}

/* "+avx2", "-avx2", "avx2", "avx2=on", "avx2=off" */
static int read_change(struct cpu_model *model, const struct property_pair *pair,
                       struct refusal *why)
{
    char sign = pair->key[0];
    bool on = sign != '-';

    if (sign == '+' || sign == '-')
        return pair->value ? refuse(why, -EINVAL, "%.40s=%.40s: +FLAG, -FLAG or FLAG=on|off",
                                    pair->key, pair->value)
                           : change(model, pair->key + 1, on, why);
    if (pair->value && strcmp(pair->value, "on") != 0) {
        if (strcmp(pair->value, "off") != 0)
            return refuse(why, -EINVAL, "%.40s=%.40s: not one of on and off", pair->key,
                          pair->value);
        on = false;
    }
    return change(model, pair->key, on, why);
}

int cpu_model_read(struct cpu_model *model, const char *text, struct refusal *why)
{
    struct properties given;
    const char *name;
    int error = properties_read(&given, text ? text : "host", "model", why);

    *model = (struct cpu_model){.count = 0};
    if (error < 0)
        return error;
    name = properties_remove(&given, "model");
    if (!name || (strcmp(name, "host") != 0 && strcmp(name, "max") != 0))
        error = refuse(why, -EINVAL, "\"%.40s\" is no model: there are host and max",
                       name ? name : "");
    else if (strcmp(name, "max") == 0) {
        change(model, "vmx", true, why);
        change(model, "svm", true, why);
        model->max = true;
    }
    for (unsigned i = 0; i < given.count && error == 0; i++)
        error = read_change(model, &given.pairs[i], why);
    properties_free(&given);
    return error;
}

static struct kvm_cpuid_entry2 *entry(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t index)
{
    for (unsigned i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == leaf && cpuid->entries[i].index == index)
            return &cpuid->entries[i];
    return NULL;
}

static uint32_t *word(struct kvm_cpuid_entry2 *e, enum cpu_register reg)
{
    uint32_t *const words[] = {
        [CPU_EAX] = &e->eax, [CPU_EBX] = &e->ebx, [CPU_ECX] = &e->ecx, [CPU_EDX] = &e->edx};

    return words[reg];
}

static bool has(const struct kvm_cpuid2 *cpuid, const struct cpu_flag *flag)
{
    struct kvm_cpuid_entry2 *e = entry((struct kvm_cpuid2 *)cpuid, flag->leaf, flag->index);

    return e && *word(e, flag->reg) & BIT(flag->bit);
}

static bool is_svm(const struct cpu_flag *flag)
{
    return strcmp(flag->name, "svm") == 0;
}

/* With SVM comes the leaf that says which SVM it is. */
static void show_nested_svm(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid2 *supported)
{
    struct kvm_cpuid_entry2 *to = entry(cpuid, NESTED_SVM_LEAF, 0);
    struct kvm_cpuid_entry2 *from = entry((struct kvm_cpuid2 *)supported, NESTED_SVM_LEAF, 0);

    if (to && from)
        *to = *from;
}

static void set(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid2 *supported,
                const struct cpu_flag *flag, bool on)
{
    struct kvm_cpuid_entry2 *e = entry(cpuid, flag->leaf, flag->index);

    if (!e)
        return;
    if (on)
        *word(e, flag->reg) |= (uint32_t)BIT(flag->bit);
    else
        *word(e, flag->reg) &= ~(uint32_t)BIT(flag->bit);
    if (on && is_svm(flag))
        show_nested_svm(cpuid, supported);
}

int cpu_model_apply(const struct cpu_model *model, struct kvm_cpuid2 *cpuid,
                    const struct kvm_cpuid2 *supported, struct refusal *why)
{
    for (unsigned i = 0; i < model->count; i++) {
        const struct cpu_flag *flag = model->changes[i].flag;
        bool on = model->changes[i].on, wish = model->max && i < 2;

        if (on && !has(supported, flag) && !has(cpuid, flag)) {
            if (wish)
                continue; /* the one of the two that this host's vendor does not have */
            return refuse(why, -ENOTSUP, "+%s: KVM on this host has no such feature to offer",
                          flag->name);
        }
        set(cpuid, supported, flag, on);
    }
    return 0;
}

void cpu_model_print(FILE *out)
{
    int column = 0;

    fprintf(out, "models: host (what KVM offers, but vmx and svm), max (all of it)\nflags:\n");
    for (const struct cpu_flag *flag = cpu_flags; flag->name; flag++) {
        if (column + strlen(flag->name) > 76) {
            fprintf(out, "\n");
            column = 0;
        }
        column += fprintf(out, " %s", flag->name);
    }
    fprintf(out, "\n");
}
