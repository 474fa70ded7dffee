/*
 * What no well-meant program does: the interpreter's answers to UNDEFINED and
 * UNPREDICTABLE encodings, wild jumps and wild pointers. Each is a stop with an exact
 * state. The numbers are rows of the project's list of hostile inputs.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "generate.h"

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

static void run(bool thumb, uint32_t address, uint64_t budget)
{
    guest.cpu.r[ARM_PC] = address;
    guest.cpu.thumb = thumb;
    guest.cpu.budget = budget;
    stop = arm_run(&guest.cpu);
}

static void step(uint32_t raw)
{
    guest_put(&guest, CODE, raw);
    run(false, CODE, 1);
}

static void expect_undefined(uint32_t raw)
{
    struct arm_cpu before = guest.cpu;

    step(raw);
    ck_assert_msg(stop.reason == ARM_UNDEFINED && stop.value == raw, "%08x: stop %d", raw,
                  stop.reason);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE);
    ck_assert_mem_eq(guest.cpu.r, before.r, 15 * 4);
}

static void expect_fault(uint32_t pc, uint32_t address, enum arm_access access, bool unaligned)
{
    ck_assert_msg(stop.reason == ARM_FAULT && stop.address == address && stop.access == access &&
                      stop.unaligned == unaligned,
                  "stop %d, address %08x, access %d, unaligned %d", stop.reason, stop.address,
                  stop.access, stop.unaligned);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], pc);
}

/* ARM16, ARM17, ARM18, ARM43 */
static const uint32_t undefined[] = {
    0xe8900000, /* LDM R0, {} */
    0xe8a00000, /* STM R0!, {} */
    0xe8b10002, /* LDM R1!, {R1} */
    0xe89f0001, /* LDM PC, {R0} */
    0xe8d08001, /* LDM R0, {R0, PC}^: only for the kernel */
    0xe4911004, /* LDR R1, [R1], #4 */
    0xe5bf0004, /* LDR R0, [PC, #4]! */
    0xe5d1f000, /* LDRB PC, [R1] */
    0xe791000f, /* LDR R0, [R1, PC] */
    0xe1c110d0, /* LDRD R1, [R1]: odd */
    0xe1c1e0d0, /* LDRD LR, [R1] */
    0xe18100d0, /* LDRD R0, [R1, R0] */
    0xe1610091, /* a SWP with a bit too many */
    0xe1010091, /* SWP R0, R1, [R1] */
    0xe1020f91, /* SWP with a reserved field */
    0xe00f0291, /* MUL PC, R1, R2 */
    0xe00f0f91, /* MUL with a reserved field */
    0xe0800291, /* UMULL R0, R0, R1, R2 */
    0xe1a0f211, /* MOV PC, R1, LSL R2 */
    0xe1b0f00e, /* MOVS PC, LR: a return from an exception */
    0xe1800f91, /* STREX R0, R1, [R0] */
    0xe14f0000, /* MRS R0, SPSR */
    0xe16ff000, /* MSR SPSR_fsxc, R0 */
    0xe12fff3f, /* BLX PC */
    0x012f1274, /* BKPT with a condition */
    0xe7f000f0, /* UDF */
    0xf1080080, /* CPSIE */
    0xf8bd0a00, /* RFEIA SP! */
    0xf96d0500, /* SRSDB */
    0xfc510000, /* MRRC2 */
    0xfe000000, /* CDP2 */
    0xed900a00, /* VLDR S0, [R0] */
    0xee300a00, /* VADD.F32 */
    0xf2000800, /* VADD.I8 */
    0xee110f10, /* MRC p15, 0, R0, c1, c0, 0 */
    0xee0d0f70, /* MCR p15, 0, R0, c13, c0, 3: TPIDRURO is read-only */
    0xee1d0f50, /* MRC p15, 0, R0, c13, c0, 2 */
    0xe1600070, /* SMC */
    0xe6100f10, /* SADD16 */
};

START_TEST(what_is_not_promised_is_undefined)
{
    guest.cpu.r[0] = guest.cpu.r[1] = DATA + 64;
    for (unsigned i = 0; i < ARRAY_SIZE(undefined); i++)
        expect_undefined(undefined[i]);
}
END_TEST

START_TEST(msr_cannot_set_thumb_or_a_mode)
{ /* ARM20 */
    guest.cpu.r[0] = 0xffffffff;
    step(0xe12ff000); /* MSR CPSR_fsxc, R0 */
    ck_assert_int_eq(stop.reason, ARM_BUDGET);
    ck_assert_int_eq(guest.cpu.thumb, 0);
    ck_assert_uint_eq(arm_cpsr(&guest.cpu), 0xf80f0000 | CPSR_USER);
}
END_TEST

START_TEST(thumb_2_is_undefined)
{ /* ARM21 */
    static const uint32_t raws[] = {
        0xbf08,     /* IT */
        0xb100,     /* CBZ */
        0x0001f04f, /* MOV.W */
        0x8f5ff3bf, /* DMB */
        0x0000f800, /* the second half of a BL alone */
        0x0000f000, /* the first half alone */
        0xe801f000, /* BLX to half a word */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(raws); i++) {
        guest_put(&guest, CODE, raws[i]);
        run(true, CODE, 1);
        ck_assert_msg(stop.reason == ARM_UNDEFINED, "%08x: stop %d", raws[i], stop.reason);
        ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE);
    }
}
END_TEST

START_TEST(a_pair_whose_second_half_is_absent_faults_there)
{ /* ARM22 */
    uint32_t last = CODE + CODE_SIZE - 2;

    ck_assert_int_eq(space_unmap(&guest.space, DATA, DATA_SIZE), 0);
    guest_put_half(&guest, last, 0xf000); /* BL */
    run(true, last, 1);
    expect_fault(last, DATA, ARM_EXECUTE, false);
}
END_TEST

START_TEST(code_that_runs_off_its_page_faults_at_the_next)
{ /* ARM23 */
    guest_put(&guest, CODE + CODE_SIZE - 4, 0xe1a00000);
    run(false, CODE + CODE_SIZE - 4, 2);
    expect_fault(DATA, DATA, ARM_EXECUTE, false);
    run(false, 0, 1);
    expect_fault(0, 0, ARM_EXECUTE, false);
    run(false, DATA + 4, 1); /* mapped, but no code */
    expect_fault(DATA + 4, DATA + 4, ARM_EXECUTE, false);
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
    atomic_store(&guest.cpu.interrupt, 1);
}

START_TEST(a_loop_without_end_can_be_interrupted)
{ /* ARM25 */
    signal(SIGALRM, on_alarm);
    ualarm(1000, 0);
    guest_put(&guest, CODE, 0xeafffffe);
    run(false, CODE, UINT64_MAX);
    ck_assert_int_eq(stop.reason, ARM_INTERRUPTED);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE);
    ck_assert_uint_eq(guest.cpu.interrupt, 1); /* whoever set it clears it */
}
END_TEST

START_TEST(a_jump_to_half_a_word_faults_at_its_target)
{ /* ARM26 */
    guest.cpu.r[0] = CODE + 0x102;
    guest_put(&guest, CODE, 0xe12fff10); /* BX R0 */
    run(false, CODE, 2);
    expect_fault(CODE + 0x102, CODE + 0x102, ARM_EXECUTE, true);
}
END_TEST

START_TEST(the_helper_page_is_the_callers)
{
    guest.cpu.r[0] = 0xffff0f60;
    guest_put(&guest, CODE, 0xe12fff30); /* BLX R0 */
    run(false, CODE, 100);
    ck_assert_int_eq(stop.reason, ARM_HELPER_PAGE);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], 0xffff0f60);
    ck_assert_uint_eq(guest.cpu.r[ARM_LR], CODE + 4);
}
END_TEST

/* LDR and STR of every kind of place that is not the guest's. ARM33, ARM34 */
START_TEST(wild_pointers_fault)
{
    static const uint32_t places[] = {0,          4,          0xffff,     UNMAPPED,  0x7fffffff,
                                      0x80000000, 0xc0000000, 0xfffffffd, 0xffffffff};
    uint32_t host = (uint32_t)(uintptr_t)&guest;

    for (unsigned i = 0; i <= ARRAY_SIZE(places); i++) {
        uint32_t place = i < ARRAY_SIZE(places) ? places[i] : host;

        if (i == ARRAY_SIZE(places) && space_flags(&guest.space, host))
            continue; /* by chance the low half of our address is the guest's own */
        guest.cpu.r[0] = 0x12345678;
        guest.cpu.r[1] = place;
        step(0xe5910000); /* LDR R0, [R1] */
        expect_fault(CODE, place, ARM_READ, false);
        ck_assert_uint_eq(guest.cpu.r[0], 0x12345678);
        step(0xe4810004); /* STR R0, [R1], #4 */
        expect_fault(CODE, place, ARM_WRITE, false);
        ck_assert_uint_eq(guest.cpu.r[1], place);
    }
}
END_TEST

START_TEST(an_access_across_the_end_of_a_page_faults_at_the_next_page)
{
    guest.cpu.r[1] = UNMAPPED - 1;
    guest_put(&guest, UNMAPPED - 4, 0x11111111);
    step(0xe5810000); /* STR R0, [R1] */
    expect_fault(CODE, UNMAPPED, ARM_WRITE, false);
    ck_assert_uint_eq(guest_word(&guest, UNMAPPED - 4), 0x11111111);
    step(0xe1d100b0); /* LDRH R0, [R1] */
    expect_fault(CODE, UNMAPPED, ARM_READ, false);
}
END_TEST

START_TEST(code_that_may_only_be_read_cannot_be_written)
{
    uint32_t second = CODE + 4096;

    ck_assert_int_eq(space_protect(&guest.space, second, 4096, SPACE_READ | SPACE_EXEC), 0);
    guest.cpu.r[1] = second;
    step(0xe5810000); /* STR R0, [R1] */
    expect_fault(CODE, second, ARM_WRITE, false);
}
END_TEST

START_TEST(a_list_half_in_an_absent_page_changes_no_register)
{ /* ARM35 */
    struct arm_cpu before;

    guest_put(&guest, UNMAPPED - 4, 0x11111111);
    guest.cpu.r[8] = UNMAPPED - 4;
    guest.cpu.r[0] = 5;
    before = guest.cpu;
    step(0xe8b800ff); /* LDMIA R8!, {R0 - R7} */
    expect_fault(CODE, UNMAPPED, ARM_READ, false);
    ck_assert_mem_eq(guest.cpu.r, before.r, 15 * 4);
    step(0xe8a800ff); /* STMIA R8!, {R0 - R7} */
    expect_fault(CODE, UNMAPPED, ARM_WRITE, false);
    ck_assert_mem_eq(guest.cpu.r, before.r, 15 * 4);
    ck_assert_uint_eq(guest_word(&guest, UNMAPPED - 4), 5); /* that much was done */
}
END_TEST

START_TEST(pairs_lists_and_atomic_accesses_must_be_aligned)
{ /* ARM36; single words may lie anywhere: test_interpret */
    static const struct {
        uint32_t raw, offset;
        enum arm_access access;
    } cases[] = {
        {0xe1c120d0, 2, ARM_READ},  /* LDRD R2, [R1] */
        {0xe1c120f0, 1, ARM_WRITE}, /* STRD R2, [R1] */
        {0xe891000c, 2, ARM_READ},  /* LDM R1, {R2, R3} */
        {0xe881000c, 1, ARM_WRITE}, /* STM R1, {R2, R3} */
        {0xe1010090, 2, ARM_WRITE}, /* SWP R0, R0, [R1] */
        {0xe1910f9f, 2, ARM_READ},  /* LDREX R0, [R1] */
        {0xe1f10f9f, 1, ARM_READ},  /* LDREXH R0, [R1] */
        {0xe1b12f9f, 4, ARM_READ},  /* LDREXD R2, [R1] */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        guest.cpu.r[1] = DATA + 64 + cases[i].offset;
        step(cases[i].raw);
        expect_fault(CODE, DATA + 64 + cases[i].offset, cases[i].access, true);
    }
    guest.cpu.r[1] = DATA + 64 + 4;
    step(0xe1c120d0); /* LDRD needs no more than a word's alignment */
    ck_assert_int_eq(stop.reason, ARM_BUDGET);
}
END_TEST

/* LDREX R2, [R1]; what happens in between; STREX R0, R3, [R4]. ARM37 */
static void exclusive(bool load, uint32_t between, uint32_t store_to, uint32_t expected)
{
    guest_put(&guest, DATA, 7);
    guest_put(&guest, DATA + 4, 7); /* the same value elsewhere must not do */
    guest.cpu.monitor.size = 0;
    guest.cpu.r[1] = DATA;
    guest.cpu.r[3] = 9;
    guest.cpu.r[4] = store_to;
    if (load)
        step(0xe1912f9f);
    step(between);
    step(0xe1840f93);
    ck_assert_uint_eq(guest.cpu.r[0], expected);
    ck_assert_uint_eq(guest_word(&guest, DATA), expected ? 7 : 9);
}

START_TEST(strex_stores_only_after_its_own_ldrex)
{
    exclusive(true, 0xe1a00000, DATA, 0);     /* NOP */
    exclusive(false, 0xe1a00000, DATA, 1);    /* no LDREX */
    exclusive(true, 0xe1a00000, DATA + 4, 1); /* another address */
    exclusive(true, 0xe1a00000, UNMAPPED, 1); /* another one, and no fault */
    exclusive(true, 0xef000000, DATA, 1);     /* SVC */
    exclusive(true, 0xf57ff01f, DATA, 1);     /* CLREX */
    exclusive(true, 0xe1d15f9f, DATA, 1);     /* LDREXB in between */
}
END_TEST

START_TEST(strex_notices_another_threads_store)
{
    guest_put(&guest, DATA, 7);
    guest.cpu.r[1] = DATA;
    guest.cpu.r[3] = 9;
    step(0xe1912f9f); /* LDREX R2, [R1] */
    guest_put(&guest, DATA, 8);
    step(0xe1810f93); /* STREX R0, R3, [R1] */
    ck_assert_uint_eq(guest.cpu.r[0], 1);
    ck_assert_uint_eq(guest_word(&guest, DATA), 8);
    step(0xe1912f9f);
    step(0xe1810f93);
    ck_assert_uint_eq(guest.cpu.r[0], 0);
    guest_put(&guest, DATA, 8);
    step(0xe1810f93); /* the value is back, but each LDREX is good for one STREX */
    ck_assert_uint_eq(guest.cpu.r[0], 1);
}
END_TEST

#define TURNS 500000

static void *count_up(void *self)
{
    struct arm_cpu *cpu = self;

    return arm_run(cpu).reason == ARM_SVC ? NULL : cpu;
}

START_TEST(two_threads_lose_no_increment)
{ /* ARM38 */
    static const uint32_t code[] = {
        0xe1901f9f, /* again: LDREX R1, [R0] */
        0xe2811001, /*        ADD R1, R1, #1 */
        0xe1802f91, /*        STREX R2, R1, [R0] */
        0xe3520000, /*        CMP R2, #0 */
        0x1afffffa, /*        BNE again */
        0xe2533001, /*        SUBS R3, R3, #1 */
        0x1afffff8, /*        BNE again */
        0xef000000, /*        SVC 0 */
    };
    struct arm_cpu other;
    pthread_t thread;
    void *wrong;

    memcpy(space_at(&guest.space, CODE), code, sizeof code);
    guest.cpu.r[0] = DATA;
    guest.cpu.r[3] = TURNS;
    other = guest.cpu;
    ck_assert_int_eq(pthread_create(&thread, NULL, count_up, &other), 0);
    ck_assert_ptr_null(count_up(&guest.cpu));
    ck_assert_int_eq(pthread_join(thread, &wrong), 0);
    ck_assert_ptr_null(wrong);
    ck_assert_uint_eq(guest_word(&guest, DATA), 2 * TURNS);
}
END_TEST

START_TEST(a_file_cut_short_is_a_fault)
{
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(space_map(&guest.space, UNMAPPED, 4096, SPACE_READ, true, fileno(file), 0), 0);
    guest.cpu.r[1] = UNMAPPED + 8;
    guest.cpu.r[0] = 3;
    step(0xe5910000); /* LDR R0, [R1] */
    expect_fault(CODE, UNMAPPED + 8, ARM_READ, false);
    ck_assert(stop.vanished);
    ck_assert_uint_eq(guest.cpu.r[0], 3);
    fclose(file);
}
END_TEST

/*
 * ARM14: any word, any registers. Whatever it does, nothing of ours breaks, and a stop
 * leaves R15 where it says. What the words compute is compared by test_against_qemu.
 */
START_TEST(any_word_runs_or_stops)
{
    struct generator g = generator(getenv("SEED") ? strtoul(getenv("SEED"), NULL, 0) : 1, 0);
    unsigned stops[8] = {0};

    for (unsigned i = 0; i < 1000000; i++) {
        uint32_t raw = random_word(&g);
        bool thumb = i % 4 == 3;

        for (unsigned r = 0; r < 15; r++)
            guest.cpu.r[r] = random_below(&g, 2) ? DATA + random_below(&g, DATA_SIZE)
                                                 : random_word(&g);
        guest_put(&guest, CODE, raw);
        run(thumb, CODE, 1);
        ck_assert_uint_le(stop.reason, ARM_BUDGET);
        stops[stop.reason]++;
        ck_assert_uint_le(guest.cpu.n | guest.cpu.z | guest.cpu.c | guest.cpu.v | guest.cpu.q |
                              guest.cpu.thumb,
                          1);
        if (stop.reason == ARM_FAULT || stop.reason == ARM_UNDEFINED)
            ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE);
    }
    ck_assert_uint_gt(stops[ARM_BUDGET], 300000);
    ck_assert_uint_gt(stops[ARM_UNDEFINED], 100000);
    ck_assert_uint_gt(stops[ARM_FAULT], 50000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("faults");
    TCase *tests = tcase_create("faults");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_not_promised_is_undefined);
    tcase_add_test(tests, msr_cannot_set_thumb_or_a_mode);
    tcase_add_test(tests, thumb_2_is_undefined);
    tcase_add_test(tests, a_pair_whose_second_half_is_absent_faults_there);
    tcase_add_test(tests, code_that_runs_off_its_page_faults_at_the_next);
    tcase_add_test(tests, a_loop_without_end_can_be_interrupted);
    tcase_add_test(tests, a_jump_to_half_a_word_faults_at_its_target);
    tcase_add_test(tests, the_helper_page_is_the_callers);
    tcase_add_test(tests, wild_pointers_fault);
    tcase_add_test(tests, an_access_across_the_end_of_a_page_faults_at_the_next_page);
    tcase_add_test(tests, code_that_may_only_be_read_cannot_be_written);
    tcase_add_test(tests, a_list_half_in_an_absent_page_changes_no_register);
    tcase_add_test(tests, pairs_lists_and_atomic_accesses_must_be_aligned);
    tcase_add_test(tests, strex_stores_only_after_its_own_ldrex);
    tcase_add_test(tests, strex_notices_another_threads_store);
    tcase_add_test(tests, two_threads_lose_no_increment);
    tcase_add_test(tests, a_file_cut_short_is_a_fault);
    tcase_add_test(tests, any_word_runs_or_stops);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
