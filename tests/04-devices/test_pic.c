/*
 * test_pic.c: the pair of 8259A, programmed through its ports as a guest would, with the
 * test in the processor's place: it looks at INTR and answers with an acknowledge.
 *
 * Longer than 350 lines: one test for each mode of a chip that has many.
 */
#include <stdlib.h>
#include <string.h>

#include "04-devices/bus.h"
#include "04-devices/pic.h"
#include "common/bits.h"
#include "harness/harness.h"

static struct pic_pair pic;
static struct bus bus;
static bool intr;
static unsigned intr_changes;

static void set_intr(void *self, bool level)
{
    (void)self;
    ck_assert_int_ne(intr, level);
    intr = level;
    intr_changes++;
}

static void out(unsigned port, unsigned value)
{
    bus_write(&bus, port, 1, value);
}

static uint8_t in(unsigned port)
{
    return (uint8_t)bus_read(&bus, port, 1);
}

static void line(unsigned number, bool level)
{
    struct irq_line wire = pic_line(&pic, number);

    irq_set(&wire, level);
}

/* As Linux and every BIOS do: vectors 0x20 and 0x28, nothing masked. */
static void program(unsigned icw4)
{
    out(0x20, 0x11), out(0x21, 0x20), out(0x21, 0x04), out(0x21, icw4);
    out(0xa0, 0x11), out(0xa1, 0x28), out(0xa1, 0x02), out(0xa1, icw4);
    out(0x21, 0), out(0xa1, 0);
}

static void power_up(void)
{
    intr = false;
    intr_changes = 0;
    memset(&bus, 0, sizeof bus);
    pic_init(&pic, (struct irq_line){.set = set_intr});
    bus_add(&bus, &(struct bus_range){PIC_MASTER, 2, 1, pic_read, pic_write, &pic.master, NULL});
    bus_add(&bus, &(struct bus_range){PIC_SLAVE, 2, 1, pic_read, pic_write, &pic.slave, NULL});
    bus_add(&bus, &(struct bus_range){PIC_ELCR, 2, 1, pic_elcr_read, pic_elcr_write, &pic, NULL});
}

static void power_up_and_program(void)
{
    power_up();
    program(0x01);
}

static uint8_t irr(unsigned port)
{
    out(port, 0x0a);
    return in(port);
}

static uint8_t isr(unsigned port)
{
    out(port, 0x0b);
    return in(port);
}

/* The processor's side: there is an interrupt, and this is its vector. */
static void expect_vector(unsigned vector)
{
    ck_assert(intr);
    ck_assert(pic_pending(&pic));
    ck_assert_uint_eq(pic_acknowledge(&pic), vector);
}

START_TEST(nothing_interrupts_before_it_is_programmed)
{
    power_up();
    for (unsigned i = 0; i < PIC_INPUTS; i++)
        if (i != PIC_CASCADE)
            line(i, true);
    ck_assert(!intr);
    ck_assert_uint_eq(in(0x21), 0xff);
    ck_assert_uint_eq(in(0xa1), 0xff);
}
END_TEST

START_TEST(an_edge_is_one_interrupt)
{
    line(4, true);
    ck_assert_uint_eq(irr(0x20), 0x10);
    expect_vector(0x24);
    ck_assert(!intr);
    ck_assert_uint_eq(irr(0x20), 0x00);
    ck_assert_uint_eq(isr(0x20), 0x10);
    out(0x20, 0x20);
    ck_assert_uint_eq(isr(0x20), 0x00);
    ck_assert(!intr); /* the line is still high: no new edge */
    line(4, false);
    line(4, true);
    expect_vector(0x24);
}
END_TEST

START_TEST(the_slave_asks_through_input_2)
{
    line(10, true);
    ck_assert_uint_eq(irr(0x20), 0x04);
    expect_vector(0x2a);
    ck_assert_uint_eq(isr(0x20), 0x04);
    ck_assert_uint_eq(isr(0xa0), 0x04);
    out(0xa0, 0x20);
    out(0x20, 0x20);
    ck_assert_uint_eq(isr(0x20) | isr(0xa0), 0x00);
}
END_TEST

START_TEST(higher_priorities_come_first)
{
    static const unsigned order[] = {0, 1, 8, 9, 10, 11, 12, 13, 14, 15, 3, 4, 5, 6, 7};

    for (unsigned i = PIC_INPUTS; i-- > 0;)
        if (i != PIC_CASCADE)
            line(i, true);
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        expect_vector(0x20 + order[i]);
        if (order[i] >= 8)
            out(0xa0, 0x20);
        out(0x20, 0x20);
    }
    ck_assert(!intr);
}
END_TEST

START_TEST(a_request_interrupts_only_lower_priorities)
{
    line(3, true);
    expect_vector(0x23);
    line(4, true);
    ck_assert(!intr);
    line(1, true);
    expect_vector(0x21);
    ck_assert_uint_eq(isr(0x20), 0x0a);
    out(0x20, 0x20); /* ends the higher one */
    ck_assert_uint_eq(isr(0x20), 0x08);
    ck_assert(!intr);
    out(0x20, 0x20);
    expect_vector(0x24);
}
END_TEST

START_TEST(a_masked_request_waits)
{
    out(0x21, 0x10);
    line(4, true);
    ck_assert(!intr);
    ck_assert_uint_eq(irr(0x20), 0x10);
    ck_assert_uint_eq(in(0x21), 0x10);
    out(0x21, 0x00);
    expect_vector(0x24);
}
END_TEST

START_TEST(a_request_that_goes_was_never_there)
{
    line(4, true);
    ck_assert(intr);
    line(4, false);
    ck_assert(!intr);
    ck_assert_uint_eq(irr(0x20), 0);
}
END_TEST

/* Between INTR and INTA a processor needs time, in which the request may go. */
START_TEST(a_request_gone_at_acknowledge_is_spurious_irq_7)
{
    line(4, true);
    line(4, false);
    ck_assert_uint_eq(pic_acknowledge(&pic), 0x27);
    ck_assert_uint_eq(isr(0x20), 0x00); /* this is how a handler tells */
    line(7, true);
    expect_vector(0x27);
    ck_assert_uint_eq(isr(0x20), 0x80);
}
END_TEST

START_TEST(a_slaves_request_gone_is_spurious_irq_15)
{
    line(12, true);
    pic.slave.irr = 0; /* the moment between the two INTA cycles */
    ck_assert_uint_eq(pic_acknowledge(&pic), 0x2f);
    ck_assert_uint_eq(isr(0xa0), 0x00);
    ck_assert_uint_eq(isr(0x20), 0x04); /* the master has served one, and waits for EOI */
}
END_TEST

START_TEST(a_level_asks_as_long_as_it_is_high)
{
    out(0x4d0, 0x20);
    out(0x4d1, 0x0c);
    ck_assert_uint_eq(bus_read(&bus, 0x4d0, 2), 0x0c20);
    line(5, true);
    expect_vector(0x25);
    ck_assert(!intr);
    out(0x20, 0x20);
    expect_vector(0x25); /* the device has not been served */
    line(5, false);
    out(0x20, 0x20);
    ck_assert(!intr);

    line(11, true);
    expect_vector(0x2b);
    out(0xa0, 0x20);
    out(0x20, 0x20);
    expect_vector(0x2b);
}
END_TEST

START_TEST(the_chip_sets_own_lines_stay_edge_triggered)
{
    out(0x4d0, 0xff);
    out(0x4d1, 0xff);
    ck_assert_uint_eq(in(0x4d0), 0xf8);
    ck_assert_uint_eq(in(0x4d1), 0xde);
}
END_TEST

START_TEST(a_line_made_level_triggered_asks_at_once)
{
    line(6, true);
    expect_vector(0x26);
    out(0x20, 0x20);
    ck_assert(!intr);
    out(0x4d0, 0x40);
    expect_vector(0x26);
}
END_TEST

START_TEST(eoi_can_name_its_input)
{
    line(3, true);
    expect_vector(0x23);
    line(1, true);
    expect_vector(0x21);
    out(0x20, 0x63); /* specific: input 3, though 1 ranks higher */
    ck_assert_uint_eq(isr(0x20), 0x02);
    out(0x20, 0x67); /* one that is not being served */
    ck_assert_uint_eq(isr(0x20), 0x02);
    out(0x20, 0x61);
    out(0x20, 0x20); /* none at all */
    ck_assert_uint_eq(isr(0x20), 0x00);
}
END_TEST

START_TEST(rotation_puts_the_served_one_last)
{
    line(0, true);
    line(1, true);
    expect_vector(0x20);
    out(0x20, 0xa0); /* rotate on non-specific EOI */
    line(0, false);
    line(0, true);
    expect_vector(0x21); /* 0 is the lowest now */
    out(0x20, 0xe1);     /* rotate on specific EOI of 1: 1 is the lowest, 2 the highest */
    line(3, true);
    expect_vector(0x23);
    out(0x20, 0x63);
    expect_vector(0x20);
    out(0x20, 0x60);
    out(0x20, 0xc5); /* set priority: 5 the lowest */
    line(5, false);
    line(5, true);
    line(6, true);
    expect_vector(0x26);
}
END_TEST

START_TEST(automatic_eoi_serves_nobody)
{
    program(0x03);
    line(3, true);
    expect_vector(0x23);
    ck_assert_uint_eq(isr(0x20), 0);
    line(4, true);
    expect_vector(0x24);
    out(0x20, 0x80); /* rotate in automatic EOI */
    line(0, true);
    expect_vector(0x20);
    line(0, false);
    line(0, true);
    line(7, true);
    expect_vector(0x27);
    out(0x20, 0x00);
    expect_vector(0x20);
}
END_TEST

START_TEST(automatic_eoi_in_the_slave_loses_no_request)
{
    program(0x03);
    line(9, true);
    line(10, true);
    expect_vector(0x29);
    expect_vector(0x2a);
    ck_assert(!intr);
}
END_TEST

START_TEST(special_mask_lets_lower_priorities_in)
{
    line(3, true);
    expect_vector(0x23);
    line(5, true);
    ck_assert(!intr);
    out(0x21, 0x08); /* masking what is being served is not enough ... */
    ck_assert(!intr);
    out(0x20, 0x68); /* ... but in special mask mode it is */
    expect_vector(0x25);
    out(0x20, 0x20); /* ends 5: what is masked is not there */
    ck_assert_uint_eq(isr(0x20), 0x08);
    out(0x20, 0x48);
    line(6, true);
    ck_assert(!intr);
}
END_TEST

START_TEST(special_full_nesting_lets_the_slave_interrupt_itself)
{
    line(12, true);
    expect_vector(0x2c);
    line(9, true);
    ck_assert(!intr); /* without: the master sees its input 2 being served */
    line(9, false);

    out(0xa0, 0x20), out(0x20, 0x20);
    line(12, false);
    program(0x11);
    line(12, true);
    expect_vector(0x2c);
    line(9, true);
    expect_vector(0x29);
    line(4, true);
    ck_assert(!intr); /* and nobody lower */
}
END_TEST

START_TEST(a_poll_acknowledges)
{
    out(0x21, 0x80);
    out(0x20, 0x0c);
    ck_assert_uint_eq(in(0x21), 0x00); /* from either port: nobody asks */
    ck_assert_uint_eq(in(0x21), 0x80); /* and the poll is over */
    line(6, true);
    out(0x20, 0x0c);
    ck_assert_uint_eq(in(0x20), 0x86);
    ck_assert(!intr);
    ck_assert_uint_eq(isr(0x20), 0x40);
    line(9, true);
    out(0x20, 0x0c);
    ck_assert_uint_eq(in(0x20), 0x82); /* then the slave is asked */
    out(0xa0, 0x0c);
    ck_assert_uint_eq(in(0xa1), 0x81);
}
END_TEST

START_TEST(initialization_forgets_everything_but_the_lines)
{
    line(3, true);
    expect_vector(0x23);
    line(1, true);
    out(0x20, 0xc4);
    out(0x20, 0x68);
    out(0x21, 0xaa);
    out(0x20, 0x11);
    ck_assert(!intr);
    ck_assert_uint_eq(in(0x20), 0); /* IRR: the edge is forgotten */
    out(0x21, 0x43), out(0x21, 0x04), out(0x21, 0x01);
    ck_assert_uint_eq(in(0x21), 0);
    ck_assert_uint_eq(isr(0x20), 0);
    line(1, false);
    line(1, true);
    line(0, true);
    expect_vector(0x40); /* ICW2's low bits do not count, 0 ranks first again */
}
END_TEST

START_TEST(a_chip_half_programmed_keeps_quiet)
{
    out(0x20, 0x11);
    line(0, true);
    ck_assert(!intr);
    out(0x21, 0x20);
    ck_assert(!intr);
    out(0x21, 0x04);
    ck_assert(!intr);
    out(0x21, 0x01);
    expect_vector(0x20);
}
END_TEST

START_TEST(icw3_and_icw4_can_be_left_out)
{
    program(0x03);
    out(0x20, 0x12), out(0x21, 0x60); /* single, no ICW4: AEOI is off again */
    out(0x21, 0xfe);                  /* OCW1 already */
    ck_assert_uint_eq(in(0x21), 0xfe);
    line(0, true);
    expect_vector(0x60);
    ck_assert_uint_eq(isr(0x20), 1);
    out(0x20, 0x13), out(0x21, 0x70), out(0x21, 0x03);
    line(0, false), line(0, true);
    expect_vector(0x70);
    ck_assert_uint_eq(isr(0x20), 0);
    out(0x20, 0x10), out(0x21, 0x80), out(0x21, 0x04);
    out(0x21, 0xfd);
    ck_assert_uint_eq(in(0x21), 0xfd);
}
END_TEST

/* What must hold whatever a guest does: INTR says whether there is something to take. */
START_TEST(hammering_the_pair_breaks_nothing)
{
    static const unsigned ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};

    srand(8259);
    for (unsigned i = 0; i < 1000000; i++) {
        unsigned number = (unsigned)rand() % PIC_INPUTS;

        switch (rand() % 4) {
        case 0: out(ports[rand() % 6], (unsigned)rand() & 0xff); break;
        case 1: in(ports[rand() % 6]); break;
        case 2:
            if (number != PIC_CASCADE)
                line(number, rand() % 2);
            break;
        default:
            if (intr) {
                unsigned vector = pic_acknowledge(&pic);

                ck_assert_uint_le(vector, 0xff);
                ck_assert(pic.master.auto_eoi || pic.master.isr);
            }
        }
        ck_assert_int_eq(intr, pic_pending(&pic));
        ck_assert_uint_lt(pic.master.lowest, 8);
    }
    for (unsigned i = 0; i < PIC_INPUTS; i++)
        if (i != PIC_CASCADE)
            line(i, false);
    out(0x4d0, 0), out(0x4d1, 0);
    program(0x01); /* a legal driver finds a chip that works */
    line(14, true);
    expect_vector(0x2e);
}
END_TEST

static Suite *pic_suite(void)
{
    Suite *suite = suite_create("04 pic");
    TCase *tests = tcase_create("pic");

    tcase_add_checked_fixture(tests, power_up_and_program, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nothing_interrupts_before_it_is_programmed);
    tcase_add_test(tests, an_edge_is_one_interrupt);
    tcase_add_test(tests, the_slave_asks_through_input_2);
    tcase_add_test(tests, higher_priorities_come_first);
    tcase_add_test(tests, a_request_interrupts_only_lower_priorities);
    tcase_add_test(tests, a_masked_request_waits);
    tcase_add_test(tests, a_request_that_goes_was_never_there);
    tcase_add_test(tests, a_request_gone_at_acknowledge_is_spurious_irq_7);
    tcase_add_test(tests, a_slaves_request_gone_is_spurious_irq_15);
    tcase_add_test(tests, a_level_asks_as_long_as_it_is_high);
    tcase_add_test(tests, the_chip_sets_own_lines_stay_edge_triggered);
    tcase_add_test(tests, a_line_made_level_triggered_asks_at_once);
    tcase_add_test(tests, eoi_can_name_its_input);
    tcase_add_test(tests, rotation_puts_the_served_one_last);
    tcase_add_test(tests, automatic_eoi_serves_nobody);
    tcase_add_test(tests, automatic_eoi_in_the_slave_loses_no_request);
    tcase_add_test(tests, special_mask_lets_lower_priorities_in);
    tcase_add_test(tests, special_full_nesting_lets_the_slave_interrupt_itself);
    tcase_add_test(tests, a_poll_acknowledges);
    tcase_add_test(tests, initialization_forgets_everything_but_the_lines);
    tcase_add_test(tests, a_chip_half_programmed_keeps_quiet);
    tcase_add_test(tests, icw3_and_icw4_can_be_left_out);
    tcase_add_test(tests, hammering_the_pair_breaks_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(pic_suite());
}
