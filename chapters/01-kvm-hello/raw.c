/*
 * raw.c: a virtual machine in one sitting, with nothing between us and the kernel.
 *
 * This file uses no other file of the project but the guest it runs. Read it from
 * top to bottom once; main.c then says the same thing on the wrappers of kvm.h,
 * which every later chapter uses. It models a machine of one processor, 64 KiB of
 * memory and one output port. Left out on purpose: options, input, signals.
 *
 * Open at hand: the Linux kernel's "The Definitive KVM (Kernel-based Virtual
 * Machine) API Documentation" [KVM-API]; the section of each ioctl is named.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/embed.h"

/* [machine] */
#define RAM_SIZE    0x10000 /* 64 KiB: all that 16-bit offsets can reach */
#define GUEST_START 0x1000  /* where the guest's first byte goes */
#define TEXT_PORT   0xe9    /* a byte written here is printed */
/* [/machine] */

EMBED(guest, "01-kvm-hello/hello.bin");

/* [check] */
/* The host said no. Name what failed and why; there is nothing else to do. */
static int check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "hello-raw: %s: %s\n", what, strerror(errno));
        exit(1);
    }
    return result;
}
/* [/check] */

static void print_registers(int vcpu)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    check(ioctl(vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
    check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    fprintf(stderr, "  rip=0x%llx (cs base 0x%llx) rsp=0x%llx rflags=0x%llx cr0=0x%llx\n", regs.rip,
            sregs.cs.base, regs.rsp, regs.rflags, sregs.cr0);
    fprintf(stderr, "  rax=0x%llx rbx=0x%llx rcx=0x%llx rdx=0x%llx rsi=0x%llx rdi=0x%llx\n",
            regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi);
}

/* [io] */
/* The guest used a port. True if there is something behind it. */
static bool handle_io(const struct kvm_run *run)
{
    const char *data = (const char *)run + run->io.data_offset;

    if (run->io.port != TEXT_PORT || run->io.direction != KVM_EXIT_IO_OUT)
        return false;
    /* OUT moves one item of one, two or four bytes; an exit may carry several. */
    fwrite(data, run->io.size, run->io.count, stdout);
    return true;
}
/* [/io] */

/* [explain] */
/* In words, why the guest stopped for a reason that this program cannot mend. */
static void explain(const struct kvm_run *run)
{
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        fprintf(stderr, "the guest used port 0x%x; only output to 0x%x exists here\n", run->io.port,
                TEXT_PORT);
        break;
    case KVM_EXIT_MMIO:
        fprintf(stderr, "the guest %s %u bytes at 0x%llx, where there is no memory\n",
                run->mmio.is_write ? "wrote" : "read", run->mmio.len, run->mmio.phys_addr);
        break;
    case KVM_EXIT_SHUTDOWN:
        fprintf(stderr, "triple fault: an exception could not be delivered, nor the double "
                        "fault that followed; the processor shut down\n");
        break;
    case KVM_EXIT_FAIL_ENTRY:
        fprintf(stderr,
                "the processor refused to enter the guest: its registers contradict "
                "each other (hardware reason 0x%llx)\n",
                (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        fprintf(stderr, "KVM gave up (suberror %u; 1 is an instruction it cannot emulate)\n",
                run->internal.suberror);
        break;
    default:
        fprintf(stderr, "the guest stopped for reason %u, which chapter 1 does not know\n",
                run->exit_reason);
    }
}
/* [/explain] */

int main(void)
{
    /* [open] */
    /* 1. Open the hypervisor. Its API has been version 12 since Linux 2.6.22, for good. */
    int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "open /dev/kvm");
    int version = check(ioctl(kvm, KVM_GET_API_VERSION, 0), "KVM_GET_API_VERSION"); /* 4.1 */

    if (version != KVM_API_VERSION) {
        fprintf(stderr, "hello-raw: /dev/kvm speaks API version %d, not %d\n", version,
                KVM_API_VERSION);
        return 1;
    }
    /* [/open] */

    /* [vm] */
    /* 2. A machine: an address space and a bus, with nothing on it yet. */
    int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM"); /* 4.2 */

    /* Older Intel processors fake real mode and need four pages for it (see kvm.c). */
    uint64_t identity_map = 0xfffbc000;
    check(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map), "KVM_SET_IDENTITY_MAP_ADDR");
    check(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR"); /* 4.36, 4.40 */
    /* [/vm] */

    /* [memory] */
    /* 3. Memory: pages of this process, declared to be the guest's from address 0. */
    uint8_t *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(ram == MAP_FAILED ? -1 : 0, "mmap of the guest's memory");
    memcpy(ram + GUEST_START, guest, (size_t)(guest_end - guest));

    struct kvm_userspace_memory_region region = {
        .slot = 0,
        .guest_phys_addr = 0,
        .memory_size = RAM_SIZE,
        .userspace_addr = (uintptr_t)ram,
    };
    check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION"); /* 4.35 */
    /* [/memory] */

    /* [vcpu] */
    /* 4. A processor, and the page on which the kernel tells us why it stopped. */
    int vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");                    /* 4.7 */
    int run_size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"); /* 4.5 */
    struct kvm_run *run = mmap(NULL, (size_t)run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    check(run == MAP_FAILED ? -1 : 0, "mmap of kvm_run");
    /* [/vcpu] */

    /* [registers] */
    /* 5. Registers. A new x86 starts in real mode at 0xfffffff0, where the BIOS would be. */
    struct kvm_sregs sregs;
    check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS"); /* 4.13 */
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS"); /* 4.14 */

    struct kvm_regs regs = {.rip = GUEST_START, .rflags = 2}; /* bit 1 is always one */
    check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");  /* 4.12 */
    /* [/registers] */

    /* [loop] */
    /* 6. Run until the guest does something that only we can answer. Answer. Repeat. */
    for (;;) {
        check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN"); /* 4.10 */

        if (run->exit_reason == KVM_EXIT_HLT)
            break;
        if (run->exit_reason == KVM_EXIT_IO && handle_io(run))
            continue;

        fflush(stdout);
        explain(run);
        print_registers(vcpu);
        return 4;
    }
    /* [/loop] */

    /* [look] */
    /* 7. The guest's memory is ours to read: the sieve it left behind is still there. */
    int primes = 0;
    for (int n = 2; n < 100; n++)
        primes += ram[0x4000 + n] == 0;
    printf("[host] the guest halted; its memory shows %d primes\n", primes);
    /* [/look] */

    /* The kernel frees a machine when its last descriptor is closed. */
    munmap(run, (size_t)run_size);
    munmap(ram, RAM_SIZE);
    close(vcpu);
    close(vm);
    close(kvm);
    return 0;
}
