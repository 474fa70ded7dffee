/*
 * kvm.c: the wrappers of kvm.h, one ioctl each.
 *
 * Open at hand: [KVM-API] sections 4.1 to 4.46 and 5 "The kvm_run structure".
 * Left out on purpose: interrupt chips (chapter 4), what CPUID means (chapter 2), more than
 * one memory slot for a region (chapter 3).
 */
#define _GNU_SOURCE
#include "01-kvm-hello/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bits.h"
#include "common/die.h"

/*
 * Intel processors without "unrestricted guest" cannot run real mode natively; KVM
 * fakes it with an identity page table (one page) and a task segment (three) that
 * need a place in guest-physical space. KVM's own default for the first is ours
 * too. AMD has no need of them, and asking does no harm.
 * [KVM-API, 4.36 "KVM_SET_TSS_ADDR", 4.40 "KVM_SET_IDENTITY_MAP_ADDR"]
 */
#define INTEL_IDENTITY_MAP KVM_PAGES_START
#define INTEL_TSS          (KVM_PAGES_START + 0x1000)

/* An ioctl whose failure can only be the host's. Dies naming it. */
static int must_ioctl(int fd, unsigned long request, void *argument, const char *name)
{
    int result = ioctl(fd, request, argument);

    if (result < 0)
        die("%s failed: %s", name, strerror(errno));
    return result;
}

#define MUST_IOCTL(fd, request, argument)                                                          \
    must_ioctl(fd, request, (void *)(uintptr_t)(argument), #request)

int kvm_open(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        die("cannot open /dev/kvm: %s (run 'make doctor' to see what to do)", strerror(errno));
    return fd;
}

int vm_capability(const struct vm *vm, unsigned long capability)
{
    return MUST_IOCTL(vm->fd, KVM_CHECK_EXTENSION, capability);
}

void vm_init_on(struct vm *vm, int kvm_fd)
{
    uint64_t identity_map = INTEL_IDENTITY_MAP;
    int version;

    *vm = (struct vm){.kvm_fd = kvm_fd};
    version = MUST_IOCTL(vm->kvm_fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION)
        die("/dev/kvm speaks API version %d, this program %d", version, KVM_API_VERSION);

    vm->fd = MUST_IOCTL(vm->kvm_fd, KVM_CREATE_VM, 0);
    if (vm_capability(vm, KVM_CAP_SET_IDENTITY_MAP_ADDR))
        MUST_IOCTL(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
    if (vm_capability(vm, KVM_CAP_SET_TSS_ADDR))
        MUST_IOCTL(vm->fd, KVM_SET_TSS_ADDR, INTEL_TSS);
}

void vm_init(struct vm *vm)
{
    vm_init_on(vm, kvm_open());
}

void vm_free(struct vm *vm)
{
    close(vm->fd);
    close(vm->kvm_fd);
    guest_memory_free(&vm->memory);
}

/* [add-ram] */
void vm_add_ram(struct vm *vm, gpa_t start, uint64_t size)
{
    int error = guest_memory_add(&vm->memory, start, size);

    if (error < 0)
        die("cannot reserve %llu KiB of guest memory: %s", (unsigned long long)(size / KIB),
            strerror(-error));

    unsigned slot = vm->memory.count - 1;
    struct kvm_userspace_memory_region region = {
        .slot = slot,
        .guest_phys_addr = start,
        .memory_size = size,
        .userspace_addr = (uintptr_t)vm->memory.regions[slot].host,
    };
    MUST_IOCTL(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}
/* [/add-ram] */

/* [vcpu-init] */
void vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned id)
{
    vcpu->id = id;
    vcpu->fd = MUST_IOCTL(vm->fd, KVM_CREATE_VCPU, id);
    vcpu->run_size = (size_t)MUST_IOCTL(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
    if (vcpu->run == MAP_FAILED)
        die("cannot map vCPU %u's kvm_run: %s", id, strerror(errno));
}
/* [/vcpu-init] */

void vcpu_free(struct vcpu *vcpu)
{
    munmap(vcpu->run, vcpu->run_size);
    close(vcpu->fd);
}

/* [vcpu-run] */
bool vcpu_run(struct vcpu *vcpu)
{
    if (ioctl(vcpu->fd, KVM_RUN, 0) == 0)
        return true;
    if (errno == EINTR || errno == EAGAIN) /* EAGAIN: another processor has started it */
        return false;
    die("KVM_RUN failed: %s", strerror(errno));
}
/* [/vcpu-run] */

void vcpu_get_regs(const struct vcpu *vcpu, struct kvm_regs *regs)
{
    MUST_IOCTL(vcpu->fd, KVM_GET_REGS, regs);
}

void vcpu_set_regs(const struct vcpu *vcpu, const struct kvm_regs *regs)
{
    MUST_IOCTL(vcpu->fd, KVM_SET_REGS, regs);
}

void vcpu_get_sregs(const struct vcpu *vcpu, struct kvm_sregs *sregs)
{
    MUST_IOCTL(vcpu->fd, KVM_GET_SREGS, sregs);
}

void vcpu_set_sregs(const struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    MUST_IOCTL(vcpu->fd, KVM_SET_SREGS, sregs);
}

/* [real-mode] */
void vcpu_set_real_mode(const struct vcpu *vcpu, uint16_t address)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs = {
        .rip = address,
        .rsp = 0, /* the first push wraps to 0xfffe */
        .rflags = RFLAGS_ONE,
    };

    vcpu_get_sregs(vcpu, &sregs);
    /* After reset CS is 0xf000 with base 0xffff0000, where a BIOS would be. */
    sregs.cs.selector = 0;
    sregs.cs.base = 0;
    vcpu_set_sregs(vcpu, &sregs);
    vcpu_set_regs(vcpu, &regs);
}
/* [/real-mode] */

/* KVM takes lists of registers; this is a list of one. */
union one_msr {
    struct kvm_msrs list;
    uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

bool vcpu_get_msr(const struct vcpu *vcpu, uint32_t index, uint64_t *value)
{
    union one_msr msr = {.list.nmsrs = 1};

    msr.list.entries[0].index = index;
    if (MUST_IOCTL(vcpu->fd, KVM_GET_MSRS, &msr) != 1)
        return false;
    *value = msr.list.entries[0].data;
    return true;
}

bool vcpu_set_msr(const struct vcpu *vcpu, uint32_t index, uint64_t value)
{
    union one_msr msr = {.list.nmsrs = 1};

    msr.list.entries[0] = (struct kvm_msr_entry){.index = index, .data = value};
    return MUST_IOCTL(vcpu->fd, KVM_SET_MSRS, &msr) == 1;
}

struct kvm_cpuid2 *vm_supported_cpuid(const struct vm *vm)
{
    /* KVM does not say how many leaves there are, only E2BIG. It has about 50. */
    for (unsigned room = 128;; room *= 2) {
        size_t size = sizeof(struct kvm_cpuid2) + room * sizeof(struct kvm_cpuid_entry2);
        struct kvm_cpuid2 *cpuid = calloc(1, size);

        if (!cpuid)
            die("no memory for %u CPUID leaves", room);
        cpuid->nent = room;
        if (ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0)
            return cpuid;
        if (errno != E2BIG || room > 4096)
            die("KVM_GET_SUPPORTED_CPUID failed: %s", strerror(errno));
        free(cpuid);
    }
}

void vcpu_set_cpuid(const struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
    MUST_IOCTL(vcpu->fd, KVM_SET_CPUID2, cpuid);
}

void vcpu_interrupt_on(const struct vcpu *vcpu, const sigset_t *signals)
{
    /* The kernel's signal set is 8 bytes; glibc's sigset_t is longer, same start. */
    enum { KERNEL_SIGSET_SIZE = 8 };
    _Alignas(struct kvm_signal_mask)
        uint8_t room[sizeof(struct kvm_signal_mask) + KERNEL_SIGSET_SIZE];
    struct kvm_signal_mask *mask = (struct kvm_signal_mask *)room;
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int signal = 1; signal < NSIG; signal++)
        if (sigismember(signals, signal) == 1)
            sigdelset(&blocked, signal);
    mask->len = KERNEL_SIGSET_SIZE;
    memcpy(mask->sigset, &blocked, KERNEL_SIGSET_SIZE);
    MUST_IOCTL(vcpu->fd, KVM_SET_SIGNAL_MASK, mask);
}
