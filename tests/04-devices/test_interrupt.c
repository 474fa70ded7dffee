/*
 * test_interrupt.c: the decision at the processor's pins, by what KVM said last. No KVM:
 * struct kvm_run is filled by hand. (kvm_interrupts.c has the real one.)
 */
#include "04-devices/interrupt.h"
#include "common/bits.h"
#include "harness/harness.h"

static struct kvm_run run;
static struct vcpu vcpu = {.fd = -1, .run = &run};
static struct pic_pair pic;
static struct interrupt_pins pins;
static unsigned wakes;

static void wake(void *self)
{
    ck_assert_ptr_eq(self, &wakes);
    wakes++;
}

static void power_up(void)
{
    wakes = 0;
    run = (struct kvm_run){0};
    interrupt_init(&pins, &vcpu, &pic, wake, &wakes);
    pic_init(&pic, interrupt_intr_line(&pins));
    pic_write(&pic.master, 0, 1, 0x12); /* a single chip */
    pic_write(&pic.master, 1, 1, 0x20);
}

static void line(unsigned number, bool level)
{
    struct irq_line wire = pic_line(&pic, number);

    irq_set(&wire, level);
}

START_TEST(an_interrupt_needs_intr_if_and_a_processor_that_is_ready)
{
    static const struct {
        bool intr, if_flag, ready;
        enum interrupt_step step;
    } rows[] = {
        {0, 0, 0, INTERRUPT_NOTHING}, {0, 0, 1, INTERRUPT_NOTHING}, {0, 1, 0, INTERRUPT_NOTHING},
        {0, 1, 1, INTERRUPT_NOTHING}, {1, 0, 0, INTERRUPT_WINDOW},  {1, 0, 1, INTERRUPT_WINDOW},
        {1, 1, 0, INTERRUPT_WINDOW},  {1, 1, 1, INTERRUPT_INJECT},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        run.if_flag = rows[i].if_flag;
        run.ready_for_interrupt_injection = rows[i].ready;
        ck_assert_int_eq(interrupt_decide(rows[i].intr, &run), rows[i].step);
    }
}
END_TEST

START_TEST(the_window_is_asked_for_only_while_somebody_asks)
{
    line(3, true);
    interrupt_before_run(&pins);
    ck_assert_uint_eq(run.request_interrupt_window, 1);
    ck_assert_uint_eq(pic.master.isr, 0); /* nothing was acknowledged in advance */
    line(3, false);
    interrupt_before_run(&pins);
    ck_assert_uint_eq(run.request_interrupt_window, 0);
}
END_TEST

START_TEST(a_rise_wakes_and_a_fall_does_not)
{
    line(3, true);
    ck_assert_uint_eq(wakes, 1);
    line(3, false);
    ck_assert_uint_eq(wakes, 1);
}
END_TEST

START_TEST(halt_ends_for_an_interrupt_that_may_come)
{
    run.if_flag = 1;
    ck_assert(!interrupt_wakes(&pins));
    line(3, true);
    ck_assert(interrupt_wakes(&pins));
    run.if_flag = 0;
    ck_assert(!interrupt_wakes(&pins));
}
END_TEST

START_TEST(nmi_wakes_even_with_interrupts_off)
{
    struct irq_line nmi = interrupt_nmi_line(&pins);

    irq_set(&nmi, true);
    ck_assert_uint_eq(wakes, 1);
    ck_assert(interrupt_wakes(&pins));
    pins.nmi = false; /* it was delivered */
    irq_set(&nmi, false);
    ck_assert(!interrupt_wakes(&pins));
    ck_assert_uint_eq(wakes, 1);
}
END_TEST

static Suite *interrupt_suite(void)
{
    Suite *suite = suite_create("04 interrupt");
    TCase *tests = tcase_create("interrupt");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, an_interrupt_needs_intr_if_and_a_processor_that_is_ready);
    tcase_add_test(tests, the_window_is_asked_for_only_while_somebody_asks);
    tcase_add_test(tests, a_rise_wakes_and_a_fall_does_not);
    tcase_add_test(tests, halt_ends_for_an_interrupt_that_may_come);
    tcase_add_test(tests, nmi_wakes_even_with_interrupts_off);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(interrupt_suite());
}
