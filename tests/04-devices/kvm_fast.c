/* kvm_fast.c: doorbells and collected writes bring a device what exits would have. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "01-kvm-hello/payload.h"
#include "02-protected-mode/entry.h"
#include "04-devices/coalesced.h"
#include "04-devices/doorbell.h"
#include "04-devices/event_loop.h"
#include "04-devices/machine.h"
#include "04-devices/signals.h"
#include "harness/harness.h"

#define ROUNDS 500u /* as fast.asm has it */
#define ZONE   UINT64_C(0xd0000000)
#define BELLS  UINT64_C(0xd0001000)

struct seen {
    uint64_t where, size, value;
};

static struct machine machine;
static struct console console;
static struct coalesced coalesced;
static struct doorbell bells[3];
static struct observer observer;
static struct seen seen[4 * ROUNDS + 100];
static unsigned seen_count, fences, seen_at_fence;
static unsigned rings[16]; /* by value, of whatever rang */

static void note(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    uint64_t base = *(uint64_t *)self;

    if (seen_count < sizeof seen / sizeof seen[0])
        seen[seen_count++] = (struct seen){base + reg, size, value};
}

static void ring(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    (void)self, (void)reg, (void)size;
    rings[value % 16]++;
}

static uint64_t fence(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)reg, (void)size;
    if (fences++ == 0)
        seen_at_fence = seen_count;
    return 0;
}

static uint64_t nothing(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)reg, (void)size;
    return 0;
}

static void ignore(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    (void)self, (void)reg, (void)size, (void)value;
}

static void power_up(void)
{
    static uint64_t port_base = 0x510, memory_base = ZONE;
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    struct refusal why;
    int wake = eventfd(0, EFD_NONBLOCK);

    console_init(&console, -1, open("/dev/null", O_WRONLY), wake);
    machine_init(&machine, wake);
    irqchip_create(&machine.vm);
    vm_add_ram(&machine.vm, 0, ENTRY_RAM);
    machine_claim_ports(&machine, "zone", 0x510, 4, 4, nothing, note, &port_base);
    machine_claim_ports(&machine, "fence", 0x518, 1, 1, fence, ignore, NULL);
    machine_claim_ports(&machine, "bell", 0x520, 1, 1, nothing, ring, NULL);
    machine_claim_memory(&machine, "zone", ZONE, 8, 8, nothing, note, &memory_base);
    machine_claim_memory(&machine, "bells", BELLS, 8, 8, nothing, ring, NULL);

    payload_load(&machine.vm.memory, ENTRY_PAYLOAD, 0xd000, harness_built("04-devices/fast.bin"),
                 NULL, 0);
    entry_tables(&machine.vm.memory);
    machine_add_processor(&machine, 0);
    vcpu_get_sregs(&machine.processors[0].vcpu, &sregs);
    entry_protected(&regs, &sregs);
    vcpu_set_sregs(&machine.processors[0].vcpu, &sregs);
    vcpu_set_regs(&machine.processors[0].vcpu, &regs);
    ck_assert_int_eq(observer_open(&observer, &machine, -1, true, &why), 0);
    seen_count = fences = seen_at_fence = 0;
}

static size_t swallow(void *self, const uint8_t *bytes, size_t count)
{
    (void)self, (void)bytes;
    return count;
}

static void line_set(void *self, bool level)
{
    (void)self, (void)level;
}

static void run(void)
{
    static struct uart uart;

    uart_init(&uart, (struct irq_line){.set = line_set}, (struct byte_sink){.put = swallow});
    console_attach(&console, &uart, &machine.devices.lock);
    ck_assert_int_eq(event_loop_run(&machine, &console, signals_take()), ENDING_OFF);
}

static uint64_t exits(unsigned reason)
{
    return observer.stats.reasons[reason].exits;
}

/* Every write, in the guest's order, with its size and data; before the fence. */
static void expect_all_in_order(void)
{
    ck_assert_uint_eq(seen_count, 4 * ROUNDS);
    ck_assert_uint_eq(seen_at_fence, 4 * ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct seen wanted[4] = {
            {0x510, 2, i}, {ZONE, 1, i & 0xff}, {ZONE + 2, 2, i}, {ZONE + 4, 4, i}};

        for (unsigned k = 0; k < 4; k++) {
            const struct seen *got = &seen[4 * i + k];

            ck_assert_msg(got->where == wanted[k].where && got->size == wanted[k].size &&
                              got->value == wanted[k].value,
                          "round %u: write %u: 0x%lx, %lu bytes, %lu", i, k, got->where, got->size,
                          got->value);
        }
    }
}

START_TEST(without_fast_paths_each_write_is_an_exit)
{
    run();
    expect_all_in_order();
    ck_assert_uint_eq(exits(KVM_EXIT_IO), ROUNDS + 3);
    ck_assert_uint_eq(exits(KVM_EXIT_MMIO), 3 * ROUNDS + 3);
    ck_assert_uint_eq(rings[1], 1);
    ck_assert_uint_eq(rings[7] + rings[8] + rings[9], 3);
}
END_TEST

START_TEST(collected_writes_arrive_in_order_with_their_data)
{
    ck_assert_int_eq(coalesced_open(&coalesced, &machine), 0);
    ck_assert_int_eq(coalesced_add(&coalesced, true, 0x510, 4), 0);
    ck_assert_int_eq(coalesced_add(&coalesced, false, ZONE, 8), 0);
    run();
    expect_all_in_order();
    /* Those left are the ones that found the ring full. */
    ck_assert_uint_lt(exits(KVM_EXIT_IO) + exits(KVM_EXIT_MMIO), ROUNDS / 5);
    ck_assert_uint_gt(coalesced.writes, 3 * ROUNDS);
}
END_TEST

START_TEST(memory_and_ports_mixed_keep_their_order)
{
    /* Only memory is collected: each port write is an exit that must come after. */
    ck_assert_int_eq(coalesced_open(&coalesced, &machine), 0);
    ck_assert_int_eq(coalesced_add(&coalesced, false, ZONE, 8), 0);
    run();
    expect_all_in_order();
    ck_assert_uint_eq(exits(KVM_EXIT_IO), ROUNDS + 3);
    ck_assert_uint_eq(coalesced.writes, 3 * ROUNDS);
}
END_TEST

static struct doorbell memory_bell(uint64_t value)
{
    return (struct doorbell){
        .machine = &machine, .space = DOORBELL_MEMORY, .address = BELLS, .size = 4, .value = value};
}

START_TEST(doorbells_ring_without_an_exit)
{
    struct doorbell twin;

    bells[0] = (struct doorbell){
        .machine = &machine, .address = DOORBELL_NOWHERE, .size = 1, .any_value = true, .value = 1};
    bells[1] = memory_bell(7);
    bells[2] = memory_bell(8);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(doorbell_open(&bells[i]), 0);
    doorbell_move(&bells[0], 0x511); /* where writes would be taken for rings */
    doorbell_move(&bells[0], 0x520);
    twin = memory_bell(8);
    ck_assert_int_eq(doorbell_open(&twin), -EEXIST);
    run();
    ck_assert_uint_eq(rings[1], 1);
    ck_assert_uint_eq(rings[7], 1);
    ck_assert_uint_eq(rings[8], 1);
    ck_assert_uint_eq(rings[9], 1); /* nobody waits for this value: an ordinary exit */
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(bells[i].rings, 1);
    ck_assert_uint_eq(exits(KVM_EXIT_IO), ROUNDS + 2);
    ck_assert_uint_eq(exits(KVM_EXIT_MMIO), 3 * ROUNDS + 1);
    for (unsigned i = 0; i < 3; i++)
        doorbell_close(&bells[i]);
}
END_TEST

/* Why this KVM cannot do something, or NULL. */
static const char *lacks(const char *no_kvm, unsigned long capability, const char *words)
{
    struct vm vm;
    int value;

    if (no_kvm)
        return no_kvm;
    vm_init(&vm);
    value = vm_capability(&vm, capability);
    vm_free(&vm);
    return value > 0 ? NULL : words;
}

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    const char *no_ring = lacks(no_kvm, KVM_CAP_COALESCED_MMIO, "this KVM collects no writes");
    const char *no_ports = lacks(no_kvm, KVM_CAP_COALESCED_PIO, "this KVM collects no port writes");
    const char *no_bells = lacks(no_kvm, KVM_CAP_IOEVENTFD, "this KVM has no ioeventfd");
    Suite *suite = suite_create("chapter 4, fast paths");
    TCase *tests = tcase_create("fast");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, no_kvm ? NULL : power_up, NULL);
    harness_add(tests, without_fast_paths_each_write_is_an_exit, no_kvm);
    harness_add(tests, collected_writes_arrive_in_order_with_their_data,
                no_ring ? no_ring : no_ports);
    harness_add(tests, memory_and_ports_mixed_keep_their_order, no_ring);
    harness_add(tests, doorbells_ring_without_an_exit, no_bells);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
