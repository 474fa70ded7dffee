/*
 * kvm_races.c: two processors that get in each other's way, and a host that stops both.
 * Rows PIO26, PIO32, PIO44, PIO45 and PIO47 of the hostile inputs: whatever they do, the
 * machine goes on, pauses, resumes and ends when it is told to.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "01-kvm-hello/payload.h"
#include "02-protected-mode/entry.h"
#include "04-devices/irqchip.h"
#include "04-devices/machine.h"
#include "common/bits.h"
#include "harness/harness.h"

#define RAM          (8 * MIB)
#define SHARED       UINT64_C(0x100000) /* as races.asm has these */
#define DEVICE       UINT64_C(0xd0000000)
#define PORT         0x510u
#define WINDOW_ENTRY UINT64_C(0x12008)
#define LONG_STORES  (ENTRY_PAYLOAD + 0x100)
#define LONG_MAPS    (ENTRY_PAYLOAD + 0x140)
#define PAUSES       2000u

enum part { COUNTS, EXITS, STORES, PATCHES, LONG, STORMS };

static struct machine machine;
static volatile unsigned long port_writes, stores, strange_stores;

static uint64_t nothing(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)reg, (void)size;
    return 0;
}

static void count_port(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    (void)self, (void)reg, (void)size, (void)value;
    port_writes++;
}

/* The guest stores one of three patterns, four bytes wide; anything else is torn. */
static void count_store(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    (void)self;
    stores++;
    if (reg != 0 || size != 4 ||
        (value != 0x11111111 && value != 0x22222222 && value != 0x33333333))
        strange_stores++;
}

static void add(unsigned id, enum part part, uint64_t rip)
{
    struct vcpu *vcpu = &machine_add_processor(&machine, id)->vcpu;
    struct kvm_mp_state runs = {.mp_state = KVM_MP_STATE_RUNNABLE};
    struct kvm_cpuid2 *cpuid = vm_supported_cpuid(&machine.vm);
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    vcpu_set_cpuid(vcpu, cpuid);
    free(cpuid);
    vcpu_get_sregs(vcpu, &sregs);
    if (part == LONG)
        entry_long(&regs, &sregs);
    else
        entry_protected(&regs, &sregs);
    regs.rax = part;
    regs.rip = rip;
    vcpu_set_sregs(vcpu, &sregs);
    vcpu_set_regs(vcpu, &regs);
    ck_assert_int_eq(ioctl(vcpu->fd, KVM_SET_MP_STATE, &runs), 0);
}

static void power_up(void)
{
    port_writes = stores = strange_stores = 0;
    machine_init(&machine, eventfd(0, EFD_NONBLOCK));
    irqchip_create(&machine.vm);
    vm_add_ram(&machine.vm, 0, RAM);
    machine_claim_ports(&machine, "port", PORT, 4, 4, nothing, count_port, NULL);
    machine_claim_memory(&machine, "device", DEVICE, 4, 4, nothing, count_store, NULL);
    payload_load(&machine.vm.memory, ENTRY_PAYLOAD, 0xd000, harness_built("04-devices/races.bin"),
                 NULL, 0);
    entry_tables(&machine.vm.memory);
}

static uint32_t shared(unsigned index)
{
    return *(volatile uint32_t *)guest_ptr(&machine.vm.memory, SHARED + 4 * index, 4);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Waits until it has happened so often, at most 10 s. */
static void wait_for(volatile unsigned long *count, unsigned long times, const char *what)
{
    double limit = now() + 10;

    while (*count < times && now() < limit)
        usleep(1000);
    if (*count < times)
        e2e_fail("book/04-devices.md, \"A guest that hammers every port\"", what,
                 "a processor that starves the other", "%lu of %lu", *count, times);
}

static void expect_to_go_on(unsigned index, const char *what)
{
    uint32_t before = shared(index);
    double limit = now() + 10;

    while (shared(index) == before && now() < limit)
        usleep(1000);
    ck_assert_msg(shared(index) != before, "%s stands still", what);
}

static void power_down(void)
{
    double start = now();

    ck_assert_int_eq(machine_ending(&machine), ENDING_NONE);
    machine_end(&machine, ENDING_QUIT);
    machine_join(&machine);
    ck_assert_msg(now() - start < 5, "the processors took %g s to stop", now() - start);
    machine_free(&machine);
}

START_TEST(a_guest_of_nothing_but_exits_starves_nobody)
{
    power_up();
    add(0, EXITS, ENTRY_PAYLOAD);
    add(1, COUNTS, ENTRY_PAYLOAD);
    machine_start(&machine);
    wait_for(&port_writes, 10000, "10,000 exits");
    for (unsigned i = 0; i < 20; i++)
        expect_to_go_on(0, "the other processor");
    power_down();
}
END_TEST

/* A million a second is asked for; how many it is depends on the host, and is shown. */
START_TEST(a_storm_of_interrupts_to_itself_starves_nobody)
{
    double start, seconds;
    uint32_t taken;

    power_up();
    add(0, STORMS, ENTRY_PAYLOAD);
    add(1, COUNTS, ENTRY_PAYLOAD);
    machine_start(&machine);
    expect_to_go_on(1, "the processor that interrupts itself");
    start = now();
    taken = shared(1);
    for (unsigned i = 0; i < 40; i++) {
        expect_to_go_on(0, "the other processor");
        expect_to_go_on(1, "the processor that interrupts itself");
        usleep(50000);
    }
    taken = shared(1) - taken;
    seconds = now() - start;
    power_down();
    printf("%u interrupts to itself in %.1f s\n", taken, seconds);
    ck_assert_uint_ge(taken, 100);
}
END_TEST

START_TEST(an_instruction_rewritten_while_it_is_emulated_is_one_or_the_other)
{
    power_up();
    add(0, STORES, ENTRY_PAYLOAD);
    add(1, PATCHES, ENTRY_PAYLOAD);
    machine_start(&machine);
    wait_for(&stores, 2000, "2,000 stores");
    expect_to_go_on(1, "the processor that patches");
    power_down();
    ck_assert_uint_eq(strange_stores, 0);
}
END_TEST

START_TEST(page_tables_rewritten_while_they_are_walked_hurt_nobody)
{
    uint64_t window = 0x00400083; /* what the mapper alternates with the device's frame */

    power_up();
    memcpy(guest_ptr(&machine.vm.memory, WINDOW_ENTRY, 8), &window, 8);
    add(0, LONG, LONG_STORES);
    add(1, LONG, LONG_MAPS);
    machine_start(&machine);
    for (unsigned i = 0; i < 100; i++) {
        expect_to_go_on(0, "the processor that stores");
        expect_to_go_on(1, "the processor that maps");
    }
    power_down();
    ck_assert_uint_eq(strange_stores, 0);
}
END_TEST

START_TEST(a_machine_under_load_pauses_and_resumes_for_ever)
{
    power_up();
    add(0, EXITS, ENTRY_PAYLOAD);
    add(1, COUNTS, ENTRY_PAYLOAD);
    machine_start(&machine);
    for (unsigned i = 0; i < PAUSES; i++) {
        unsigned long writes;
        uint32_t counted;

        machine_pause(&machine);
        writes = port_writes;
        counted = shared(0);
        if (i % 100 == 0)
            usleep(2000); /* long enough for one that has not stopped to be caught */
        ck_assert_uint_eq(port_writes, writes);
        ck_assert_uint_eq(shared(0), counted);
        machine_resume(&machine);
    }
    expect_to_go_on(0, "a resumed processor");
    wait_for(&port_writes, port_writes + 100, "exits after the last resume");
    power_down();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chapter 4, races");
    TCase *tests = tcase_create("races");
    const char *no_kvm = harness_no_kvm();

    tcase_set_timeout(tests, 60);
    harness_add(tests, a_guest_of_nothing_but_exits_starves_nobody, no_kvm);
    harness_add(tests, a_storm_of_interrupts_to_itself_starves_nobody, no_kvm);
    harness_add(tests, an_instruction_rewritten_while_it_is_emulated_is_one_or_the_other, no_kvm);
    harness_add(tests, page_tables_rewritten_while_they_are_walked_hurt_nobody, no_kvm);
    harness_add(tests, a_machine_under_load_pauses_and_resumes_for_ever, no_kvm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
