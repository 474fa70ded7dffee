/*
 * machine_target.c: see machine_target.h. Open at hand: [KVM-API, 4.87
 * "KVM_SET_GUEST_DEBUG"].
 */
#include "07-linux-boot/gdb/machine_target.h"

#include <cpuid.h>
#include <string.h>
#include <sys/ioctl.h>

#include "03-paging-ept/paging_regs.h"
#include "common/bits.h"

#define MSR_KERNEL_GS_BASE 0xc0000102u
#define CPUID_1_ECX_VMX    BIT(5)
#define CPUID_EXT_ECX_SVM  BIT(2)

static void stop(void *self)
{
    struct machine_target *t = self;

    machine_pause(t->machine);
}

/* A debugger's "go on" is the user's, and ends what -S or the monitor's "stop" began. */
static void go(void *self, const bool *runs)
{
    struct machine_target *t = self;

    for (unsigned i = 0; i < t->target.processors; i++)
        machine_hold_processor(t->machine, i, !runs[i]);
    machine_resume(t->machine);
    monitor_let_go(t->monitor);
}

static bool take_hit(void *self, unsigned i, struct kvm_debug_exit_arch *hit)
{
    struct machine_target *t = self;

    return machine_take_debug(t->machine, i, hit);
}

static const struct vcpu *vcpu(const struct machine_target *t, unsigned i)
{
    return &t->machine->processors[i].vcpu;
}

static void get(void *self, unsigned i, struct registers *r)
{
    const struct machine_target *t = self;
    struct kvm_xsave area;

    memset(r, 0, sizeof *r);
    vcpu_get_regs(vcpu(t, i), &r->general);
    vcpu_get_sregs(vcpu(t, i), &r->special);
    if (ioctl(vcpu(t, i)->fd, KVM_GET_XSAVE, &area) == 0)
        memcpy(&r->floating, &area, sizeof r->floating);
    vcpu_get_msr(vcpu(t, i), MSR_KERNEL_GS_BASE, &r->kernel_gs);
}

/* What KVM has behind the part that we know stays as it is. */
static bool set_floating(int fd, const struct fpu_area *floating)
{
    struct kvm_xsave area;

    if (ioctl(fd, KVM_GET_XSAVE, &area) < 0)
        return false;
    memcpy(&area, floating, sizeof *floating);
    return ioctl(fd, KVM_SET_XSAVE, &area) == 0;
}

/* Only what has changed: to set a register can lose an exception that waits. */
static bool set(void *self, unsigned i, const struct registers *r)
{
    const struct machine_target *t = self;
    int fd = vcpu(t, i)->fd;
    struct registers old;

    get(self, i, &old);
    if (memcmp(&old.special, &r->special, sizeof old.special) != 0 &&
        ioctl(fd, KVM_SET_SREGS, &r->special) < 0)
        return false;
    if (old.kernel_gs != r->kernel_gs &&
        !vcpu_set_msr(vcpu(t, i), MSR_KERNEL_GS_BASE, r->kernel_gs))
        return false;
    if (memcmp(&old.floating, &r->floating, sizeof old.floating) != 0 &&
        !set_floating(fd, &r->floating))
        return false;
    return memcmp(&old.general, &r->general, sizeof old.general) == 0 ||
           ioctl(fd, KVM_SET_REGS, &r->general) == 0;
}

static bool arm(void *self, unsigned i, struct kvm_guest_debug *debug)
{
    const struct machine_target *t = self;

    return ioctl(vcpu(t, i)->fd, KVM_SET_GUEST_DEBUG, debug) == 0;
}

static const char *state(void *self, unsigned i)
{
    const struct machine_target *t = self;
    struct kvm_mp_state state;

    if (ioctl(vcpu(t, i)->fd, KVM_GET_MP_STATE, &state) < 0)
        return "in no known state";
    switch (state.mp_state) {
    case KVM_MP_STATE_RUNNABLE: return "running";
    case KVM_MP_STATE_HALTED: return "halted";
    default: return "not started";
    }
}

static void command(void *self, const char *line, FILE *out)
{
    struct machine_target *t = self;

    monitor_command(t->monitor, line, out);
}

static void end(void *self)
{
    struct machine_target *t = self;

    machine_end(t->machine, ENDING_QUIT);
}

/* Without interrupts, where KVM can: else a step often ends in a timer's handler. */
static uint32_t step_flags(const struct vm *vm)
{
    int known = vm_capability(vm, KVM_CAP_SET_GUEST_DEBUG2);

    return KVM_GUESTDBG_SINGLESTEP | ((uint32_t)known & KVM_GUESTDBG_BLOCKIRQ);
}

/*
 * KVM without VT-x and AMD-V emulates neither int3 nor the watching of data. QEMU's emulated AMD-V
 * has no intercept for it, and does not look at the debug registers that a guest is entered with.
 * The processor says what it is.
 */
static enum breakpoint_means means(void)
{
    unsigned eax, ebx, ecx, edx;
    char vendor[13] = "";
    bool hardware;

    __cpuid(1, eax, ebx, ecx, edx);
    hardware = ecx & CPUID_1_ECX_VMX;
    __cpuid(0x80000001, eax, ebx, ecx, edx);
    hardware |= ecx & CPUID_EXT_ECX_SVM;
    __cpuid(0x40000000, eax, *(unsigned *)vendor, *(unsigned *)(vendor + 4),
            *(unsigned *)(vendor + 8));
    if (!hardware)
        return BREAKPOINTS_OF_CODE;
    return strcmp(vendor, "TCGTCGTCGTCG") == 0 ? BREAKPOINTS_NONE : BREAKPOINTS_ALL;
}

const char *machine_target_lacks(void)
{
    switch (means()) {
    case BREAKPOINTS_OF_CODE: return "KVM is of software here: four breakpoints, none on data";
    case BREAKPOINTS_NONE: return "this computer is emulated by QEMU: there are no breakpoints";
    default: return NULL;
    }
}

void machine_target_init(struct machine_target *t, struct machine *machine, struct monitor *monitor,
                         void (*hit)(void *self), void *self)
{
    struct paging_features features = paging_features(&machine->vm);

    *t = (struct machine_target){
        .target = {.self = t,
                   .processors = machine->processor_count,
                   .memory = &machine->vm.memory,
                   .lock = &machine->devices.lock,
                   .maxphyaddr = features.maxphyaddr,
                   .gib_pages = features.gib_pages,
                   .means = means(),
                   .step_flags = step_flags(&machine->vm),
                   .stop = stop,
                   .go = go,
                   .take_hit = take_hit,
                   .get = get,
                   .set = set,
                   .arm = arm,
                   .state = state,
                   .command = command,
                   .kill = end},
        .machine = machine,
        .monitor = monitor,
    };
    machine->on_debug = hit;
    machine->debugger = self;
}
