/* The reference interpreter: what each group of instructions does, in small vectors. */
#include "06-tcg/arm/shift.h"
#include "guest.h"

static struct guest guest;
static struct arm_stop stop;

static void setup(void)
{
    guest_init(&guest);
}

static void teardown(void)
{
    guest_free(&guest);
}

/* Runs one A32 instruction at CODE with the state as it is. */
static void step(uint32_t raw)
{
    guest_put(&guest, CODE, raw);
    guest.cpu.r[ARM_PC] = CODE;
    guest.cpu.thumb = 0;
    guest.cpu.budget = 1;
    stop = arm_run(&guest.cpu);
}

/* "NZCV" with a small letter for each flag that is clear. */
static const char *flags(void)
{
    static char text[5];

    for (unsigned i = 0; i < 4; i++)
        text[i] = arm_cpsr(&guest.cpu) >> (31 - i) & 1 ? "NZCV"[i] : "nzcv"[i];
    return text;
}

static void set_flags(const char *text)
{
    uint32_t cpsr = 0;

    for (unsigned i = 0; i < 4; i++)
        cpsr |= (uint32_t)(text[i] < 'a') << (31 - i);
    arm_set_cpsr(&guest.cpu, cpsr);
}

static const struct {
    uint32_t value;
    enum arm_shift type;
    unsigned amount;
    bool carry_in;
    uint32_t result;
    bool carry;
} shift_vectors[] = {
    {0x80000001, ARM_LSL, 0, 1, 0x80000001, 1},   {0x80000001, ARM_LSL, 1, 0, 0x00000002, 1},
    {0x80000001, ARM_LSL, 31, 1, 0x80000000, 0},  {0x80000001, ARM_LSL, 32, 0, 0, 1},
    {0x80000001, ARM_LSL, 33, 1, 0, 0},           {0x80000001, ARM_LSL, 255, 1, 0, 0},
    {0x80000001, ARM_LSR, 0, 0, 0x80000001, 0},   {0x80000001, ARM_LSR, 1, 0, 0x40000000, 1},
    {0x80000001, ARM_LSR, 31, 1, 1, 0},           {0x80000001, ARM_LSR, 32, 0, 0, 1},
    {0x80000001, ARM_LSR, 33, 1, 0, 0},           {0x80000001, ARM_LSR, 255, 1, 0, 0},
    {0x80000001, ARM_ASR, 1, 0, 0xc0000000, 1},   {0x80000001, ARM_ASR, 31, 1, 0xffffffff, 0},
    {0x80000001, ARM_ASR, 32, 0, 0xffffffff, 1},  {0x40000000, ARM_ASR, 33, 1, 0, 0},
    {0x80000001, ARM_ASR, 255, 0, 0xffffffff, 1}, {0x80000001, ARM_ROR, 0, 1, 0x80000001, 1},
    {0x80000001, ARM_ROR, 1, 0, 0xc0000000, 1},   {0x00000001, ARM_ROR, 31, 1, 0x00000002, 0},
    {0x80000001, ARM_ROR, 32, 0, 0x80000001, 1},  {0x00000001, ARM_ROR, 33, 0, 0x80000000, 1},
    {0x00000002, ARM_ROR, 255, 1, 0x00000004, 0}, {0x00000001, ARM_RRX, 1, 0, 0, 1},
    {0x00000002, ARM_RRX, 1, 1, 0x80000001, 0},
};

START_TEST(shifts_by_32_and_more_empty_the_register)
{
    for (unsigned i = 0; i < ARRAY_SIZE(shift_vectors); i++) {
        bool carry = shift_vectors[i].carry_in;
        uint32_t result = arm_shift(shift_vectors[i].value, shift_vectors[i].type,
                                    shift_vectors[i].amount, &carry);

        ck_assert_msg(result == shift_vectors[i].result && carry == shift_vectors[i].carry,
                      "vector %u: %08x carry %d", i, result, carry);
    }
}
END_TEST

/* Operands in R1 and R2, result in R0. */
static const struct {
    uint32_t raw, r1, r2, r0;
    const char *before, *after;
} data_vectors[] = {
    {0xe0910002, 0xffffffff, 1, 0, "nzcv", "nZCv"},          /* ADDS R0, R1, R2 */
    {0xe0910002, 0x7fffffff, 1, 0x80000000, "nzcv", "NzcV"}, /* ADDS */
    {0xe0810002, 0x7fffffff, 1, 0x80000000, "nZCv", "nZCv"}, /* ADD */
    {0xe0510002, 1, 1, 0, "nzcv", "nZCv"},                   /* SUBS: no borrow is C */
    {0xe0510002, 0, 1, 0xffffffff, "nzCv", "Nzcv"},          /* SUBS */
    {0xe0510002, 0x80000000, 1, 0x7fffffff, "nzcv", "nzCV"}, /* SUBS */
    {0xe0710002, 1, 3, 2, "nzcv", "nzCv"},                   /* RSBS */
    {0xe0b10002, 1, 2, 4, "nzCv", "nzcv"},                   /* ADCS */
    {0xe0b10002, 0xffffffff, 0, 0, "nzCv", "nZCv"},          /* ADCS */
    {0xe0d10002, 5, 3, 1, "nzcv", "nzCv"},                   /* SBCS with a borrow */
    {0xe0d10002, 5, 3, 2, "nzCv", "nzCv"},                   /* SBCS without */
    {0xe0f10002, 3, 5, 1, "nzcv", "nzCv"},                   /* RSCS */
    {0xe0110002, 0xf0, 0x0f, 0, "NzCV", "nZCV"},             /* ANDS keeps C and V */
    {0xe0310002, 0xff, 0x0f, 0xf0, "nzcv", "nzcv"},          /* EORS */
    {0xe1910002, 0x80000000, 1, 0x80000001, "nzcV", "NzcV"}, /* ORRS */
    {0xe1d10002, 0xff, 0x0f, 0xf0, "nzcv", "nzcv"},          /* BICS */
    {0xe1f00002, 0, 0, 0xffffffff, "nzcv", "Nzcv"},          /* MVNS R0, R2 */
    {0xe1b000a2, 0, 3, 1, "nzcv", "nzCv"},                   /* LSRS R0, R2, #1 */
    {0xe1b00062, 0, 1, 0x80000000, "nzCv", "NzCv"},          /* RRXS R0, R2 */
    {0xe3b00102, 0, 0, 0x80000000, "nzcv", "NzCv"},          /* MOVS R0, #0x80000000 */
    {0xe3b00001, 0, 0, 1, "nzCv", "nzCv"},                   /* MOVS R0, #1 keeps C */
    {0xe1510002, 1, 2, 7, "nzCv", "Nzcv"},                   /* CMP writes no register */
    {0x00810002, 1, 2, 7, "nzcv", "nzcv"},                   /* ADDEQ without Z */
    {0x00810002, 1, 2, 3, "nZcv", "nZcv"},                   /* ADDEQ with Z */
    {0xe3400001, 0, 0, 0x00010007, "nzcv", "nzcv"},          /* MOVT keeps the low half */
};

START_TEST(arithmetic_sets_flags_as_the_manual_says)
{
    for (unsigned i = 0; i < ARRAY_SIZE(data_vectors); i++) {
        guest.cpu.r[0] = 7;
        guest.cpu.r[1] = data_vectors[i].r1;
        guest.cpu.r[2] = data_vectors[i].r2;
        set_flags(data_vectors[i].before);
        step(data_vectors[i].raw);
        ck_assert_int_eq(stop.reason, ARM_BUDGET);
        ck_assert_msg(guest.cpu.r[0] == data_vectors[i].r0, "vector %u: R0 is %08x", i,
                      guest.cpu.r[0]);
        ck_assert_msg(strcmp(flags(), data_vectors[i].after) == 0, "vector %u: flags %s", i,
                      flags());
    }
}
END_TEST

START_TEST(conditions_come_in_opposite_pairs)
{
    static const char *const holds[7] = {"Z", "C", "N", "V", "Cz", "N=V", "N=Vz"};

    for (uint32_t nzcv = 0; nzcv < 16; nzcv++) {
        bool n = nzcv >> 3 & 1, z = nzcv >> 2 & 1, c = nzcv >> 1 & 1, v = nzcv & 1;
        bool expected[7] = {z, c, n, v, c && !z, n == v, n == v && !z};

        arm_set_cpsr(&guest.cpu, nzcv << 28);
        for (unsigned pair = 0; pair < 7; pair++) {
            ck_assert_msg(arm_condition(&guest.cpu, 2 * pair) == expected[pair], "%s %x",
                          holds[pair], nzcv);
            ck_assert_int_eq(arm_condition(&guest.cpu, 2 * pair + 1), !expected[pair]);
        }
        ck_assert(arm_condition(&guest.cpu, 14));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("interpret");
    TCase *tests = tcase_create("interpret");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, shifts_by_32_and_more_empty_the_register);
    tcase_add_test(tests, arithmetic_sets_flags_as_the_manual_says);
    tcase_add_test(tests, conditions_come_in_opposite_pairs);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
