/* launch.c: see launch.h. */
#define _GNU_SOURCE
#include "02-protected-mode/launch.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "02-protected-mode/sregs_check.h"

int launch_load(const struct vcpu *vcpu, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    /* ioctl() takes no pointer to const, but KVM only reads through these two. */
    if (ioctl(vcpu->fd, KVM_SET_SREGS, (void *)(uintptr_t)sregs) < 0 ||
        ioctl(vcpu->fd, KVM_SET_REGS, (void *)(uintptr_t)regs) < 0)
        return -errno;
    return 0;
}

void launch_explain(FILE *out, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    struct sregs_findings found;

    sregs_check(regs, sregs, &found);
    fprintf(out, "the state against the rules of the manual:\n");
    sregs_findings_print(out, &found);
}

void launch_explain_vcpu(FILE *out, const struct vcpu *vcpu)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    vcpu_get_regs(vcpu, &regs);
    vcpu_get_sregs(vcpu, &sregs);
    launch_explain(out, &regs, &sregs);
}
