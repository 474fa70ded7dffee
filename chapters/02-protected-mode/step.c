/* step.c: see step.h. Left out on purpose: breakpoints, hardware and software. */
#define _GNU_SOURCE
#include "02-protected-mode/step.h"

#include <sys/ioctl.h>

/* [arm] */
bool step_arm(const struct vcpu *vcpu)
{
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP};

    return ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug) == 0;
}
/* [/arm] */
