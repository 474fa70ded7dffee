/*
 * test_every_exit.c: whatever reason KVM_RUN gives for coming back, the machine handles it or
 * ends with a report that says where the guest was. KVM is a fake: this program has an
 * ioctl() of its own, which the linker prefers to the C library's.
 */
#define _GNU_SOURCE
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "04-devices/machine.h"
#include "common/bits.h"
#include "harness/harness.h"

#define RUN_SIZE (3 * GUEST_PAGE_SIZE)
#define RIP      UINT64_C(0x2340)

/* What the fake does: this exit the first time; then the guest powers itself off. */
static struct {
    struct kvm_run *run;
    uint32_t reason;
    unsigned runs;
} fake;

static int new_file(off_t size)
{
    int fd = memfd_create("fake", MFD_CLOEXEC);

    ck_assert_int_eq(ftruncate(fd, size), 0);
    return fd;
}

/* Zeros are a fair detail of most reasons: a read of port 0, of 0 times 0 bytes. */
static int fake_run(void)
{
    fake.run->exit_reason = fake.reason;
    memset(&fake.run->io, 0, sizeof fake.run->io);
    fake.run->io.data_offset = GUEST_PAGE_SIZE;
    if (fake.runs++ > 0) {
        fake.run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
        fake.run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
    }
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    void *argument;
    va_list rest;

    (void)fd;
    va_start(rest, request);
    argument = va_arg(rest, void *);
    va_end(rest);
    switch (request) {
    case KVM_GET_API_VERSION: return KVM_API_VERSION;
    case KVM_CREATE_VM: return new_file(0);
    case KVM_CREATE_VCPU: return new_file(RUN_SIZE);
    case KVM_GET_VCPU_MMAP_SIZE: return RUN_SIZE;
    case KVM_RUN: return fake_run();
    case KVM_GET_REGS: *(struct kvm_regs *)argument = (struct kvm_regs){.rip = RIP}; return 0;
    case KVM_GET_SREGS: memset(argument, 0, sizeof(struct kvm_sregs)); return 0;
    case KVM_TRANSLATE: {
        struct kvm_translation *translation = argument;

        translation->physical_address = translation->linear_address;
        translation->valid = 1;
        return 0;
    }
    default: return 0;
    }
}

/* The machine runs once; its report, which the caller frees, and how it ended. */
static char *run_machine(uint32_t reason, enum ending *ending)
{
    static const uint8_t code[] = {0x0f, 0x0b, 0xeb, 0xfe};
    struct machine machine;
    char *report;
    size_t size;
    FILE *out = open_memstream(&report, &size);
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    machine_init_on(&machine, new_file(0), wake);
    vm_add_ram(&machine.vm, 0, 64 * KIB);
    memcpy(guest_ptr(&machine.vm.memory, RIP, sizeof code), code, sizeof code);
    machine_add_processor(&machine, 0);
    fake.run = machine.processors[0].vcpu.run;
    fake.reason = reason;
    fake.runs = 0;
    machine_start(&machine);
    pthread_join(machine.processors[0].thread, NULL);
    *ending = machine_ending(&machine);
    machine_report(out, &machine);
    fclose(out);
    machine_free(&machine);
    close(wake);
    return report;
}

/* All others end the run; so does a system event of type 0, which there is not. */
static const struct {
    uint32_t reason;
    enum ending ending;
} handled[] = {
    {KVM_EXIT_IO, ENDING_OFF}, /* that is: the guest went on, and powered itself off */
    {KVM_EXIT_MMIO, ENDING_OFF},
    {KVM_EXIT_INTR, ENDING_OFF},
    {KVM_EXIT_IRQ_WINDOW_OPEN, ENDING_OFF},
    {KVM_EXIT_SET_TPR, ENDING_OFF},
    {KVM_EXIT_HLT, ENDING_OFF},
    {KVM_EXIT_SHUTDOWN, ENDING_CRASH},
};

static enum ending expected(uint32_t reason)
{
    for (unsigned i = 0; i < ARRAY_SIZE(handled); i++)
        if (handled[i].reason == reason)
            return handled[i].ending;
    return ENDING_STUCK;
}

/* And those that no header knows yet. */
#define REASONS 64

START_TEST(every_exit_reason_is_handled_or_reported_with_rip_and_bytes)
{
    enum ending ending, wanted = expected((uint32_t)_i);
    char *report = run_machine((uint32_t)_i, &ending), name[40];

    ck_assert_msg(ending == wanted, "%s (%d): ending %d, not %d", exit_name((uint32_t)_i), _i,
                  ending, wanted);
    if (wanted != ENDING_OFF) {
        snprintf(name, sizeof name, "%s (%d)", exit_name((uint32_t)_i), _i);
        ck_assert_msg(strstr(report, name) != NULL, "no \"%s\" in \"%s\"", name, report);
        ck_assert_msg(strstr(report, "rip=0x0000000000002340") != NULL, "%s", report);
        ck_assert_msg(strstr(report, "code at 0x2340: 0f 0b eb fe") != NULL, "%s", report);
    }
    free(report);
}
END_TEST

static Suite *every_exit_suite(void)
{
    Suite *suite = suite_create("every exit");
    TCase *tests = tcase_create("reasons");

    tcase_add_loop_test(tests, every_exit_reason_is_handled_or_reported_with_rip_and_bytes, 0,
                        REASONS);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(every_exit_suite());
}
