/*
 * kvm_pic.c: our 8259 pair against KVM's. A guest programs KVM's by random port accesses
 * (picscript.asm); ours gets the same; registers and vectors must be the same all along.
 *
 * Where the two differ on purpose the test does not go. KVM's ignores special mask mode
 * and polls, and remembers edges whose line has fallen (pic.c says why ours does not), so
 * no line falls, and no input of the slave is masked, while its request waits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/payload.h"
#include "02-protected-mode/entry.h"
#include "04-devices/irqchip.h"
#include "04-devices/pic.h"
#include "harness/harness.h"

#define ORDER 0xf0u

enum { WRITE, READ, TAKE };

static struct vm vm;
static struct vcpu vcpu;
static struct pic_pair ours;
static struct irq_pin pins[PIC_INPUTS];
static char history[4096]; /* the last steps, for the reader of a failure */
static unsigned taken;

static void nowhere(void *self, bool level)
{
    (void)self, (void)level;
}

/* Runs the guest until it asks for an order; the last byte that it reported, or 0. */
static uint8_t run_to_order(void)
{
    struct kvm_run *run = vcpu.run;
    uint8_t answer = 0;

    for (;;) {
        ck_assert(vcpu_run(&vcpu));
        if (run->exit_reason != KVM_EXIT_IO) {
            exit_report(stderr, &vm, &vcpu);
            ck_abort_msg("exit reason %u after%s", run->exit_reason, history);
        }
        if (run->io.port == ORDER)
            return answer;
        answer = *((uint8_t *)run + run->io.data_offset);
    }
}

/* The guest has asked: gives it the order, and lets it come back for the next. */
static uint8_t carry_out(unsigned what, unsigned value, unsigned port)
{
    uint32_t order = what << 24 | value << 16 | port;

    memcpy((uint8_t *)vcpu.run + vcpu.run->io.data_offset, &order, sizeof order);
    return run_to_order();
}

static void power_up(void)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    vm_init(&vm);
    vm_add_ram(&vm, 0, ENTRY_RAM);
    irqchip_create(&vm);
    for (unsigned i = 0; i < PIC_INPUTS; i++)
        pins[i] = (struct irq_pin){.vm = &vm, .number = i};
    payload_load(&vm.memory, ENTRY_PAYLOAD, 0x8000, harness_built("04-devices/picscript.bin"), NULL,
                 0);
    entry_tables(&vm.memory);
    vcpu_init(&vcpu, &vm, 0);
    vcpu_get_sregs(&vcpu, &sregs);
    entry_protected(&regs, &sregs);
    vcpu_set_sregs(&vcpu, &sregs);
    vcpu_set_regs(&vcpu, &regs);
    pic_init(&ours, (struct irq_line){.set = nowhere});
    run_to_order();
}

static void note(const char *format, unsigned a, unsigned b)
{
    size_t used = strlen(history);

    if (used > sizeof history - 64) {
        memmove(history, history + used / 2, used - used / 2 + 1);
        used = strlen(history);
    }
    snprintf(history + used, sizeof history - used, format, a, b);
}

static struct pic *chip_of(unsigned port)
{
    return port & 0x80 ? &ours.slave : &ours.master;
}

static void out(unsigned port, unsigned value)
{
    note(" out(%x,%x)", port, value);
    carry_out(WRITE, value, port);
    if (port >= PIC_ELCR)
        pic_elcr_write(&ours, port - PIC_ELCR, 1, value);
    else
        pic_write(chip_of(port), port & 1, 1, value);
}

static void compare_read(unsigned port)
{
    uint8_t theirs = carry_out(READ, 0, port);
    uint8_t mine = (uint8_t)pic_read(chip_of(port), port & 1, 1);

    ck_assert_msg(theirs == mine, "port 0x%x reads 0x%x in KVM, 0x%x here, after%s", port, theirs,
                  mine, history);
}

static void line(unsigned number, bool level)
{
    struct irq_line here = pic_line(&ours, number), there = irq_pin_line(&pins[number]);

    note(" line(%u,%u)", number, level);
    irq_set(&here, level);
    irq_set(&there, level);
}

/* A request of this input waits: its line must not fall now. */
static bool waits(unsigned number)
{
    const struct pic *pic = number < 8 ? &ours.master : &ours.slave;

    return pic->irr & 1u << number % 8;
}

static void take(void)
{
    uint8_t theirs, mine;

    note(" take", 0, 0);
    theirs = carry_out(TAKE, 0, 0);
    mine = pic_acknowledge(&ours);
    ck_assert_msg(theirs == mine, "KVM's vector is 0x%x, ours 0x%x, after%s", theirs, mine,
                  history);
    taken++;
}

static void program(unsigned base, unsigned vector, unsigned icw3, unsigned icw4)
{
    out(base, 0x11);
    out(base + 1, vector);
    out(base + 1, icw3);
    out(base + 1, icw4);
}

static void compare(void)
{
    static const unsigned bases[] = {PIC_MASTER, PIC_SLAVE};

    for (unsigned i = 0; i < 2; i++) {
        out(bases[i], PIC_OCW3 | PIC_OCW3_RR);
        compare_read(bases[i]);
        out(bases[i], PIC_OCW3 | PIC_OCW3_RR | PIC_OCW3_RIS);
        compare_read(bases[i]);
        compare_read(bases[i] + 1);
    }
}

static void random_step(void)
{
    unsigned number = (unsigned)rand() % PIC_INPUTS;
    unsigned base = rand() % 2 ? PIC_MASTER : PIC_SLAVE;

    switch (rand() % 8) {
    case 0:
    case 1:
        if (number != PIC_CASCADE)
            line(number, true);
        break;
    case 2:
        if (number != PIC_CASCADE && !waits(number))
            line(number, false);
        break;
    case 3: out(base, ((unsigned)rand() & 7) << 5 | ((unsigned)rand() & 7)); break; /* OCW2 */
    case 4: out(base, PIC_OCW2_EOI); break;
    case 5: out(PIC_MASTER + 1, (unsigned)rand() & 0xfb); break; /* OCW1 */
    default:
        if (pic_pending(&ours))
            take();
    }
}

/* _i is the round: each has its own seed, end of interrupt and level-triggered lines. */
START_TEST(our_pair_does_what_kvms_does)
{
    unsigned icw4 = _i % 2 ? 0x03 : 0x01;

    power_up();
    srand(8259 + (unsigned)_i);
    program(PIC_MASTER, 0x20, 0x04, icw4);
    program(PIC_SLAVE, 0x28, 0x02, icw4);
    out(PIC_ELCR, _i & 2 ? 0xa8 : 0);
    for (unsigned i = 0; i < 400; i++) {
        random_step();
        compare();
    }
    ck_assert_uint_ge(taken, 10); /* or the comparison was about nothing */
}
END_TEST

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    Suite *suite = suite_create("04 pic against KVM's");
    TCase *tests = tcase_create("pic");

    tcase_set_timeout(tests, 100);
    if (no_kvm)
        printf("SKIP our_pair_does_what_kvms_does: %s\n", no_kvm);
    else
        tcase_add_loop_test(tests, our_pair_does_what_kvms_does, 0, 8);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
