/*
 * cpu_model.h: which features of the processor the command line adds or takes away.
 *
 *     -cpu host                    what KVM offers, but no nested virtualization
 *     -cpu max                     all that KVM offers
 *     -cpu host,-avx2,+svm         one feature fewer, one more; avx2=off,svm=on is the same
 *
 *     cpu_model_read(&model, "host,-avx2", &why);
 *     cpuid_filter(cpuid, ...);                            cpuid.h: the rest of the policy
 *     cpu_model_apply(&model, cpuid, supported, &why);
 *
 * The names are those of /proc/cpuinfo, and QEMU's where the two differ.
 */
#ifndef CHAPTER_07_CPU_MODEL_H
#define CHAPTER_07_CPU_MODEL_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/refusal.h"

#define CPU_CHANGES_MAX 64u

struct cpu_flag; /* cpu_flags.h */

struct cpu_model {
    struct {
        const struct cpu_flag *flag;
        bool on;
    } changes[CPU_CHANGES_MAX]; /* in their order: the last of one flag counts */
    unsigned count;
    bool max; /* the first two are its wishes, for vmx and svm: either may be lacking */
};

/* NULL is "host". 0, or -EINVAL with why->text: a model or flag that is not known. */
int cpu_model_read(struct cpu_model *model, const char *text, struct refusal *why);

/*
 * Changes what the guest will see. supported is KVM's own list: a flag that is not in it
 * cannot be added: -ENOTSUP with why->text. One that is not there can be taken away.
 */
int cpu_model_apply(const struct cpu_model *model, struct kvm_cpuid2 *cpuid,
                    const struct kvm_cpuid2 *supported, struct refusal *why);

/* The flags there are, for -cpu help. */
void cpu_model_print(FILE *out);

#endif
