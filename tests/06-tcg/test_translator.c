/*
 * The translator's own business: the cache, chaining, code that changes, interruption,
 * threads, what faults show. The guests are a few words of A32 each. One file, and so a
 * long one, because all of it needs the same small guest.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "06-tcg/arm/interpret.h"
#include "06-tcg/translate/translator.h"
#include "guest.h"

#define BKPT                   0xe1200070u /* bkpt 0: ends a test's program */
#define SVC                    0xef000000u
#define B_SELF                 0xeafffffeu
#define MOV_R0(n)              (0xe3a00000u | (n)) /* mov r0, #n */
#define ADD_R0(n)              (0xe2800000u | (n)) /* add r0, r0, #n */
#define SUBS_R1_1              0xe2511001u         /* subs r1, r1, #1 */
#define CMP(n, m)              (0xe1500000u | (n) << 16 | (m))
#define MOVEQ_R0(n)            (0x03a00000u | (n)) /* moveq r0, #n */
#define LDR_R5_R6              0xe5965000u         /* ldr r5, [r6] */
#define BX_LR                  0xe12fff1eu
#define BLX_R8                 0xe12fff38u
#define BRANCH(cond, from, to) ((cond) << 28 | 0x0a000000u | ((((to) - (from)-8) >> 2) & 0xffffff))
#define B(from, to)            BRANCH(14u, from, to)
#define BNE(from, to)          BRANCH(1u, from, to)
#define BL(from, to)           (B(from, to) | 0x01000000u)

static struct guest guest;
static struct translator *translator;

static void begin(const struct translator_options *options)
{
    guest_init(&guest);
    ck_assert_int_eq(translator_new(&translator, &guest.space, options), 0);
}

static void setup(void)
{
    begin(NULL);
}

/* Code is interpreted twice, then translated. */
static void setup_tiers(void)
{
    begin(&(struct translator_options){.cold_runs = 2});
}

static void teardown(void)
{
    translator_free(translator);
    guest_free(&guest);
}

/* As the kernel does for read(): the translator is told. */
static void put(uint32_t address, uint32_t word)
{
    ck_assert_int_eq(space_write(&guest.space, address, &word, sizeof word), 0);
}

static void put_code(uint32_t address, const uint32_t *words, unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        put(address + 4 * n, words[n]);
}

static struct arm_stop run(uint32_t from)
{
    guest.cpu.r[ARM_PC] = from;
    guest.cpu.thumb = 0;
    return translator_run(translator, &guest.cpu);
}

static void run_to_breakpoint(uint32_t from)
{
    struct arm_stop stop = run(from);

    ck_assert_int_eq(stop.reason, ARM_BREAKPOINT);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- chaining --------------------------------------------------------------------------- */

/* On another page than the loop, so that it can change without the loop. */
#define FUNCTION (CODE + 0x1100)

/* r0 counts the turns of a loop that r1 counts down; its body calls a function. */
static void put_loop(void)
{
    static const uint32_t loop[] = {
        MOV_R0(0),                /* 0 */
        BL(CODE + 4, FUNCTION),   /* 4 */
        SUBS_R1_1,                /* 8 */
        BNE(CODE + 12, CODE + 4), /* c */
        BKPT,
    };
    static const uint32_t function[] = {ADD_R0(1), BX_LR};

    put_code(CODE, loop, ARRAY_SIZE(loop));
    put_code(FUNCTION, function, ARRAY_SIZE(function));
}

START_TEST(a_loop_translates_each_block_once_and_is_chained)
{
    struct translator_stats stats;

    put_loop();
    guest.cpu.r[1] = 100000;
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(guest.cpu.r[0], 100000);
    stats = translator_stats(translator);
    ck_assert_uint_le(stats.blocks, 6);
    ck_assert_uint_ge(stats.chained, 2);
}
END_TEST

START_TEST(a_block_ends_where_another_one_begins)
{
    for (unsigned n = 0; n < 8; n++)
        put(CODE + 4 * n, ADD_R0(1));
    put(CODE + 32, BKPT);
    run_to_breakpoint(CODE + 16);
    guest.cpu.r[0] = 0;
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(guest.cpu.r[0], 8);
    ck_assert_uint_eq(translator_stats(translator).blocks, 2);
    ck_assert_uint_eq(translator_stats(translator).insns, 9); /* none of them twice */
}
END_TEST

START_TEST(without_chaining_the_result_is_the_same)
{
    struct translator_options options = {.without = TRANSLATOR_NO_CHAINING | TRANSLATOR_NO_PINS |
                                                    TRANSLATOR_NO_OPTIMIZER};

    teardown();
    begin(&options);
    put_loop();
    guest.cpu.r[1] = 1000;
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(guest.cpu.r[0], 1000);
    ck_assert_uint_eq(translator_stats(translator).chained, 0);
}
END_TEST

/* r0 is the sum of what the function at r8 adds, r1 times. */
static uint32_t call_by_pointer(uint32_t function, uint32_t times)
{
    guest.cpu.r[8] = function;
    guest.cpu.r[1] = times;
    run_to_breakpoint(CODE);
    return guest.cpu.r[0];
}

/* Each time around, another one of three functions comes first, and one has changed. */
START_TEST(an_indirect_jump_remembers_its_first_target_and_finds_the_others)
{
    static const uint32_t loop[] = {MOV_R0(0), BLX_R8, SUBS_R1_1, BNE(CODE + 12, CODE + 4), BKPT};

    put_code(CODE, loop, ARRAY_SIZE(loop));
    for (uint32_t round = 0; round < 9; round++) {
        for (uint32_t n = 0; n < 3; n++)
            put_code(FUNCTION + 0x1000 * n, (const uint32_t[]){ADD_R0(n + 1), BX_LR}, 2);
        put(FUNCTION + 0x1000 * (round / 3), ADD_R0(7));
        for (uint32_t n = round; n < round + 6; n++)
            ck_assert_uint_eq(call_by_pointer(FUNCTION + 0x1000 * (n % 3), 100),
                              n % 3 == round / 3 ? 700 : 100 * (n % 3 + 1));
        if (round % 2)
            translator_flush(translator);
    }
}
END_TEST

/* The function's return, the loop's branch, and the call if it is no table's. */
START_TEST(an_indirect_jump_is_chained_unless_its_target_comes_from_a_table)
{
    static const uint32_t from_table[] = {
        MOV_R0(0),
        0xe1a0e00f,               /* 4: mov lr, pc */
        0xe798f102,               /* 8: ldr pc, [r8, r2, lsl #2] */
        SUBS_R1_1,                /* c */
        BNE(CODE + 16, CODE + 4), /* 10 */
        BKPT,
    };
    static const uint32_t from_object[] = {
        MOV_R0(0),  0xe1a0e00f, /* 4: mov lr, pc */
        0xe598f000,             /* 8: ldr pc, [r8] */
        SUBS_R1_1,  BNE(CODE + 16, CODE + 4),
        BKPT,
    };
    uint64_t before;

    put_code(FUNCTION, (const uint32_t[]){ADD_R0(1), BX_LR}, 2);
    put(CODE + 0x100, FUNCTION);
    put_code(CODE, from_table, ARRAY_SIZE(from_table));
    ck_assert_uint_eq(call_by_pointer(CODE + 0x100, 100), 100);
    ck_assert_uint_eq(translator_stats(translator).chained, 2);
    translator_flush(translator);
    before = translator_stats(translator).chained;
    put_code(CODE, from_object, ARRAY_SIZE(from_object));
    ck_assert_uint_eq(call_by_pointer(CODE + 0x100, 100), 100);
    ck_assert_uint_gt(translator_stats(translator).chained - before, 2);
}
END_TEST

START_TEST(a_million_straight_instructions_are_many_blocks)
{
    uint32_t size = 4 * 1000004, start = 0x1000000;

    ck_assert_int_eq(
        space_map(&guest.space, start, align_up(size, SPACE_PAGE_SIZE), SPACE_PROT, false, -1, 0),
        0);
    for (uint32_t n = 0; n < 1000000; n++)
        guest_put(&guest, start + 4 * n, ADD_R0(1));
    guest_put(&guest, start + 4000000, BKPT);
    run_to_breakpoint(start);
    ck_assert_uint_eq(guest.cpu.r[0], 1000000);
    ck_assert_uint_ge(translator_stats(translator).blocks, 1000000 / 64);
}
END_TEST

/* ---- a full cache ------------------------------------------------------------------------ */

/* FLUSHES=10000 for the hostile list's number; the default takes a second. */
START_TEST(a_cache_that_is_full_again_and_again_changes_nothing)
{
    struct translator_options options = {.cache_size = 1, .block_limit = 1}; /* the least */
    const char *flushes = getenv("FLUSHES");
    uint32_t expected = 0;

    teardown();
    begin(&options);
    /* 4,000 blocks of one instruction each: more than the smallest cache holds. */
    for (uint32_t n = 0; n < 4000; n++)
        guest_put(&guest, CODE + 4 * n, ADD_R0(n % 200));
    guest_put(&guest, CODE + 16000, BKPT);
    while (translator_stats(translator).flushes < (flushes ? strtoul(flushes, NULL, 0) : 500)) {
        uint64_t before = translator_stats(translator).flushes;

        for (uint32_t n = 0; n < 4000; n++)
            expected += n % 200;
        run_to_breakpoint(CODE);
        ck_assert_uint_eq(guest.cpu.r[0], expected);
        ck_assert_uint_gt(translator_stats(translator).flushes, before);
    }
}
END_TEST

/* ---- code that changes ------------------------------------------------------------------- */

START_TEST(a_block_that_others_are_chained_to_can_change)
{
    put_loop();
    guest.cpu.r[1] = 1000;
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(guest.cpu.r[0], 1000);
    put(FUNCTION, ADD_R0(2)); /* the loop still is chained to what was there */
    guest.cpu.r[1] = 1000;
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(guest.cpu.r[0], 2000);
    ck_assert_uint_ge(translator_stats(translator).invalidated, 1);
}
END_TEST

START_TEST(a_guest_can_rewrite_its_own_code)
{
    static const uint32_t writer[] = {
        0xe5832000, /* str r2, [r3] */
        0xe5830000, /* str r0, [r3]: a second store to what is no code now */
        0xe5832000, /* str r2, [r3] */
        BX_LR,
    };

    put_loop();
    put_code(CODE + 0x200, writer, ARRAY_SIZE(writer));
    put_code(CODE + 0x2000, writer, ARRAY_SIZE(writer)); /* one on another page */
    guest.cpu.r[1] = 10;
    run_to_breakpoint(CODE);
    for (uint32_t n = 1; n < 200; n++) {
        guest.cpu.r[2] = ADD_R0(n);
        guest.cpu.r[3] = FUNCTION;
        guest.cpu.r[ARM_LR] = CODE + 16;
        run_to_breakpoint(CODE + (n % 2 ? 0x200 : 0x2000));
        guest.cpu.r[1] = 10;
        run_to_breakpoint(CODE);
        ck_assert_uint_eq(guest.cpu.r[0], 10 * n);
    }
}
END_TEST

START_TEST(code_that_rewrites_the_next_instruction_goes_on)
{
    static const uint32_t code[] = {
        0xe5832000, /* str r2, [r3]: the word after it */
        MOV_R0(1),
        BKPT,
    };

    put_code(CODE, code, ARRAY_SIZE(code));
    for (uint32_t n = 0; n < 100; n++) {
        guest.cpu.r[2] = MOV_R0(n);
        guest.cpu.r[3] = CODE + 4;
        run_to_breakpoint(CODE);
        ck_assert_uint_eq(guest.cpu.r[0], n);
    }
}
END_TEST

START_TEST(a_constant_that_is_shifted_for_its_flags_is_added_shifted)
{
    static const uint32_t code[] = {
        0xe3b010a0, /* movs r1, #160 */
        0xe1b01081, /* lsls r1, r1, #1 */
        0xe0810003, /* add r0, r1, r3 */
        BKPT,
    };

    put_code(CODE, code, ARRAY_SIZE(code));
    guest.cpu.r[3] = 1000;
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(guest.cpu.r[0], 1320);
}
END_TEST

START_TEST(a_literal_that_changes_is_seen)
{
    put(CODE, 0xe59f0000); /* ldr r0, [pc]: the word at CODE + 8 */
    put(CODE + 4, BKPT);
    for (uint32_t n = 0; n < 10; n++) {
        put(CODE + 8, n);
        run_to_breakpoint(CODE);
        ck_assert_uint_eq(guest.cpu.r[0], n);
    }
}
END_TEST

START_TEST(unmapped_code_does_not_run_again)
{
    struct arm_stop stop;

    put_loop();
    guest.cpu.r[1] = 10;
    run_to_breakpoint(CODE);
    ck_assert_int_eq(space_unmap(&guest.space, CODE, SPACE_PAGE_SIZE), 0);
    stop = run(CODE);
    ck_assert_int_eq(stop.reason, ARM_FAULT);
    ck_assert_int_eq(stop.access, ARM_EXECUTE);
    ck_assert_uint_eq(stop.address, CODE);
}
END_TEST

START_TEST(cacheflush_lets_the_page_be_written_afterwards)
{
    put_loop();
    guest.cpu.r[1] = 10;
    run_to_breakpoint(CODE);
    translator_invalidate(translator, FUNCTION, 8);
    put(FUNCTION, ADD_R0(3));
    guest.cpu.r[1] = 10;
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(guest.cpu.r[0], 30);
}
END_TEST

/* ---- write or execute ---------------------------------------------------------------------- */

START_TEST(no_page_is_writable_and_executable)
{
    char line[512];
    FILE *maps;
    unsigned views = 0;

    put_loop();
    guest.cpu.r[1] = 10;
    run_to_breakpoint(CODE);
    maps = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps)) {
        char *protection = strchr(line, ' ') + 1;

        ck_assert_msg(!(protection[1] == 'w' && protection[2] == 'x'), "%s", line);
        views += strstr(line, "memfd:code") != NULL;
    }
    fclose(maps);
    ck_assert_uint_eq(views, 2);
}
END_TEST

/* ---- faults --------------------------------------------------------------------------------- */

START_TEST(a_fault_shows_the_registers_of_that_moment)
{
    static const uint32_t code[] = {
        MOV_R0(7),  0xe3530000, /* cmp r3, #0: Z */
        0xe4914004,             /* ldr r4, [r1], #4: works */
        0xe4925004,             /* ldr r5, [r2], #4: faults */
        MOV_R0(9),  BKPT,
    };
    struct arm_stop stop;

    put_code(CODE, code, ARRAY_SIZE(code));
    guest.cpu.r[1] = DATA;
    guest.cpu.r[2] = UNMAPPED;
    guest.cpu.r[5] = 55;
    stop = run(CODE);
    ck_assert_int_eq(stop.reason, ARM_FAULT);
    ck_assert_int_eq(stop.access, ARM_READ);
    ck_assert_uint_eq(stop.address, UNMAPPED);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 12);
    ck_assert_uint_eq(guest.cpu.r[0], 7);
    ck_assert_uint_eq(guest.cpu.r[1], DATA + 4);
    ck_assert_uint_eq(guest.cpu.r[2], UNMAPPED); /* the base is as it was */
    ck_assert_uint_eq(guest.cpu.r[5], 55);
    ck_assert_uint_eq(guest.cpu.z, 1);
    ck_assert_int_eq(space_map(&guest.space, UNMAPPED, SPACE_PAGE_SIZE, SPACE_READ, false, -1, 0),
                     0);
    run_to_breakpoint(CODE + 12); /* and can be tried again */
    ck_assert_uint_eq(guest.cpu.r[2], UNMAPPED + 4);
}
END_TEST

/*
 * Loops that compare at the end of a turn and fault in a later one: the fault shows the
 * flags of the turn before, by whatever way they have come.
 */
START_TEST(a_fault_shows_the_flags_that_a_loop_has_handed_on)
{
    static const uint32_t compares[][5] = {
        /* 0: load, ..., 4: compare, then branch back while r0 is below r2 */
        {0xe5901000, 0xe2800004, 0xe1500002, BRANCH(3u, CODE + 12, CODE), BKPT}, /* ldr; add; cmp */
        {0xe4901004, 0xe1520000, 0xe2811001, BRANCH(8u, CODE + 12, CODE), BKPT}, /* cmp r2, r0 */
        {0xe4901004, 0xe2522004, 0xe1a00000, BRANCH(1u, CODE + 12, CODE), BKPT}, /* subs r2, #4 */
        {0xe4901004, 0xe4903004, 0xe3510001, BRANCH(3u, CODE + 12, CODE), BKPT}, /* cmp r1, #1 */
        {0xe4901004, 0xe5903000, 0xe1510003, BRANCH(1u, CODE + 12, CODE), BKPT}, /* cmp r1, r3 */
        {0xe4901004, 0xe1a03001, 0xe1130003, BRANCH(1u, CODE + 12, CODE), BKPT}, /* tst r3, r3 */
    };

    for (unsigned n = 0; n < ARRAY_SIZE(compares); n++) {
        struct arm_cpu judge;
        struct arm_stop stop;

        put_code(CODE, compares[n], 5);
        for (unsigned k = 0; k < DATA_SIZE / 4; k++)
            ck_assert_int_eq(
                space_write(&guest.space, DATA + 4 * k, (uint32_t[]){n == 3 ? 0 : k + 1}, 4), 0);
        guest.cpu.r[0] = DATA + 8;
        guest.cpu.r[2] = n == 2 ? DATA_SIZE - 4 : 0xfffffff0; /* 4 when it faults */
        arm_set_cpsr(&guest.cpu, CPSR_V);
        judge = guest.cpu;
        judge.r[ARM_PC] = CODE;
        judge.budget = 1000000;
        ck_assert_int_eq(arm_run(&judge).reason, ARM_FAULT);
        stop = run(CODE);
        ck_assert_int_eq(stop.reason, ARM_FAULT);
        ck_assert_uint_eq(arm_cpsr(&guest.cpu), arm_cpsr(&judge));
        for (unsigned r = 0; r < 16; r++)
            ck_assert_uint_eq(guest.cpu.r[r], judge.r[r]);
    }
}
END_TEST

START_TEST(a_list_half_in_an_unmapped_page_restores_its_base)
{
    struct arm_stop stop;

    put(CODE, 0xe8b100fd);     /* ldmia r1!, {r0, r2-r7} */
    put(CODE + 4, 0xe8a100fd); /* stmia r1!, {r0, r2-r7} */
    for (uint32_t n = 0; n < 2; n++) {
        guest.cpu.r[1] = UNMAPPED - 8;
        stop = run(CODE + 4 * n);
        ck_assert_int_eq(stop.reason, ARM_FAULT);
        ck_assert_int_eq(stop.access, n ? ARM_WRITE : ARM_READ);
        ck_assert_uint_eq(stop.address, UNMAPPED);
        ck_assert_uint_eq(guest.cpu.r[1], UNMAPPED - 8);
        ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 4 * n);
    }
}
END_TEST

START_TEST(every_class_of_address_faults_and_reaches_nothing_of_ours)
{
    static const uint32_t wild[] = {0,          4,          0xfff,      0xffff,
                                    UNMAPPED,   0x7fffffff, 0x80000000, 0xfffefffd,
                                    0xfffffffc, 0xfffffffd, 0xffffffff};

    put(CODE, 0xe5910000);     /* ldr r0, [r1] */
    put(CODE + 4, 0xe5810000); /* str r0, [r1] */
    for (unsigned n = 0; n < ARRAY_SIZE(wild); n++)
        for (uint32_t kind = 0; kind < 2; kind++) {
            struct arm_stop stop;

            guest.cpu.r[0] = 0x1234;
            guest.cpu.r[1] = wild[n];
            stop = run(CODE + 4 * kind);
            ck_assert_int_eq(stop.reason, ARM_FAULT);
            ck_assert_int_eq(stop.access, kind ? ARM_WRITE : ARM_READ);
            ck_assert_uint_eq(stop.address, wild[n]);
            ck_assert_uint_eq(guest.cpu.r[0], 0x1234);
        }
}
END_TEST

START_TEST(code_that_runs_off_its_page_faults_at_the_next)
{
    struct arm_stop stop;
    uint32_t end = CODE + CODE_SIZE; /* where the data begins, which is not executable */

    for (uint32_t at = end - 40; at < end; at += 4)
        put(at, ADD_R0(1));
    stop = run(end - 40);
    ck_assert_int_eq(stop.reason, ARM_FAULT);
    ck_assert_int_eq(stop.access, ARM_EXECUTE);
    ck_assert_uint_eq(stop.address, end);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], end);
    ck_assert_uint_eq(guest.cpu.r[0], 10);
}
END_TEST

START_TEST(the_helper_page_is_a_stop)
{
    struct arm_stop stop;

    put(CODE, BX_LR);
    guest.cpu.r[ARM_LR] = 0xffff0f60;
    stop = run(CODE);
    ck_assert_int_eq(stop.reason, ARM_HELPER_PAGE);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], 0xffff0f60);
}
END_TEST

/* Those that C libraries call all the time are blocks: nobody is asked. */
START_TEST(a_common_helper_is_a_block)
{
    static const struct {
        uint32_t helper, word, r0, after, address;
        bool c;
    } cases[] = {
        {0xffff0fe0, 5, 0x1234, 5, DATA, false}, /* get_tls */
        {0xffff0fc0, 7, 0, 6, DATA, true},       /* cmpxchg: from 7 to 6 */
        {0xffff0fc0, 8, 1, 8, DATA, false},      /* it was not 7 */
        {0xffff0fa0, 5, 7, 5, DATA, false},      /* barrier */
        {0xffff0fc0, 7, 7, 7, DATA + 2, false},  /* misaligned: the caller's to settle */
    };

    put(CODE, 0xe12fff33); /* BLX R3 */
    put(CODE + 4, BKPT);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arm_stop stop;
        uint32_t word = 0;

        put(DATA, cases[i].word);
        guest.cpu.tls = 0x1234;
        guest.cpu.c = false;
        guest.cpu.r[0] = 7;
        guest.cpu.r[1] = 6;
        guest.cpu.r[2] = cases[i].address;
        guest.cpu.r[3] = cases[i].helper;
        stop = run(CODE);
        ck_assert_int_eq(stop.reason, cases[i].address == DATA ? ARM_BREAKPOINT : ARM_HELPER_PAGE);
        ck_assert_uint_eq(guest.cpu.r[0], cases[i].r0);
        ck_assert_int_eq(guest.cpu.c, cases[i].c);
        space_read(&guest.space, DATA, &word, sizeof word);
        ck_assert_uint_eq(word, cases[i].after);
    }
}
END_TEST

/* Nothing has happened; the address and the helper are told. */
START_TEST(an_exchange_that_faults_is_the_helpers)
{
    struct arm_stop stop;

    put(CODE, 0xe12fff33);
    guest.cpu.r[0] = 7;
    guest.cpu.r[2] = UNMAPPED;
    guest.cpu.r[3] = 0xffff0fc0;
    stop = run(CODE);
    ck_assert_int_eq(stop.reason, ARM_FAULT);
    ck_assert_int_eq(stop.access, ARM_WRITE);
    ck_assert_uint_eq(stop.address, UNMAPPED);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], 0xffff0fc0);
    ck_assert_uint_eq(guest.cpu.r[0], 7);
}
END_TEST

/* ---- interruption -----------------------------------------------------------------------------
 */

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    atomic_store(&guest.cpu.interrupt, 1);
    translator_interrupt(translator, context);
}

static void *interrupt_soon(void *thread)
{
    usleep(20000);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

/* Runs an endless program and says how long it took to notice the interrupt. */
static double interrupted_after(uint32_t from)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    pthread_t thread, self = pthread_self();
    struct arm_stop stop;
    double start = now();

    sigaction(SIGUSR1, &action, NULL);
    atomic_store(&guest.cpu.interrupt, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_soon, &self), 0);
    stop = run(from);
    pthread_join(thread, NULL);
    ck_assert_int_eq(stop.reason, ARM_INTERRUPTED);
    return now() - start;
}

START_TEST(endless_loops_of_any_kind_are_interrupted)
{
    static const uint32_t indirect[] = {0xe1a0e00f /* mov lr, pc */, 0xe24ee008 /* -8 */, BX_LR};

    put(CODE, B_SELF);
    put(CODE + 0x100, B(CODE + 0x100, CODE + 0x200));
    put(CODE + 0x200, B(CODE + 0x200, CODE + 0x100));
    put_code(CODE + 0x300, indirect, ARRAY_SIZE(indirect));
    put(CODE + 0x400, BNE(CODE + 0x400, CODE + 0x400));
    guest.cpu.z = 0;
    for (uint32_t n = 0; n < 5; n++)
        ck_assert_double_lt(interrupted_after(CODE + 0x100 * n), 10.0);
}
END_TEST

/*
 * A loop in which each flag is dead at the end of a block. Wherever it is interrupted,
 * the flags are those of the last instruction that set any.
 */
START_TEST(an_interruption_shows_exact_flags)
{
    static const uint32_t loop[] = {
        0xe3510000,                       /* 0: cmp r1, #0 */
        BRANCH(10u, CODE + 4, CODE + 12), /* 4: bge 12 */
        0xe1a00000,                       /* 8: nop */
        0xe2911c01,                       /* c: adds r1, r1, #256 */
        BRANCH(1u, CODE + 16, CODE + 0),  /* 10: bne 0 */
        B(CODE + 20, CODE + 0),           /* 14 */
    };

    put_code(CODE, loop, ARRAY_SIZE(loop));
    for (unsigned n = 0; n < 30; n++) {
        uint32_t before, expected = 0;

        guest.cpu.r[1] = n;
        ck_assert_double_lt(interrupted_after(CODE), 10.0);
        if (guest.cpu.r[ARM_PC] == CODE || guest.cpu.r[ARM_PC] >= CODE + 16) { /* of ADDS */
            before = guest.cpu.r[1] - 256;
            expected = guest.cpu.r[1] & CPSR_N;
            expected |= guest.cpu.r[1] ? 0 : CPSR_Z;
            expected |= guest.cpu.r[1] < 256 ? CPSR_C : 0;
            expected |= ~before & guest.cpu.r[1] & 0x80000000 ? CPSR_V : 0;
        } else { /* of CMP with 0 */
            expected = (guest.cpu.r[1] & CPSR_N) | CPSR_C | (guest.cpu.r[1] ? 0 : CPSR_Z);
        }
        ck_assert_uint_eq(arm_cpsr(&guest.cpu) & 0xf0000000, expected);
    }
}
END_TEST

/* ---- threads ------------------------------------------------------------------------------------
 */

#define THREADS 4

struct worker {
    pthread_t thread;
    struct arm_cpu cpu;
    unsigned rounds, wrong;
};

static void *work(void *self)
{
    struct worker *w = self;

    for (unsigned n = 0; n < w->rounds; n++) {
        w->cpu.r[1] = 500;
        w->cpu.r[ARM_PC] = CODE;
        if (translator_run(translator, &w->cpu).reason != ARM_BREAKPOINT || w->cpu.r[0] != 500)
            w->wrong++;
    }
    return NULL;
}

START_TEST(threads_share_a_cache_that_is_flushed_under_them)
{
    static struct worker workers[THREADS];

    put_loop();
    for (unsigned n = 0; n < THREADS; n++) {
        workers[n] = (struct worker){.cpu = guest.cpu, .rounds = 2000};
        ck_assert_int_eq(pthread_create(&workers[n].thread, NULL, work, &workers[n]), 0);
    }
    for (unsigned n = 0; n < 500; n++) {
        if (n % 2)
            translator_flush(translator);
        else
            put(FUNCTION, ADD_R0(1)); /* the same word: but the page changes */
        usleep(200);
    }
    for (unsigned n = 0; n < THREADS; n++) {
        pthread_join(workers[n].thread, NULL);
        ck_assert_uint_eq(workers[n].wrong, 0);
    }
    ck_assert_uint_ge(translator_stats(translator).flushes, 200);
}
END_TEST

START_TEST(a_child_process_has_a_cache_of_its_own)
{
    int status;
    pid_t pid;

    put_loop();
    guest.cpu.r[1] = 10;
    run_to_breakpoint(CODE);
    pid = fork();
    if (pid == 0) {
        translator_forked(translator);
        for (uint32_t n = 0; n < 64; n++) /* what the parent would trip over */
            put(CODE + 4 * n, ADD_R0(1));
        put(CODE + 0x100, BKPT);
        guest.cpu.r[0] = 0;
        _exit(run(CODE).reason == ARM_BREAKPOINT && guest.cpu.r[0] == 64 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    guest.cpu.r[1] = 10;
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(guest.cpu.r[0], 10);
}
END_TEST

/* ---- looking at it
 * ------------------------------------------------------------------------------- */

START_TEST(dumps_show_every_stage)
{
    char *text;
    size_t size;
    struct translator_options options = {.dump = TRANSLATOR_DUMP_ARM | TRANSLATOR_DUMP_IR |
                                                 TRANSLATOR_DUMP_OPT | TRANSLATOR_DUMP_X86,
                                         .count = true};

    teardown();
    options.dump_file = open_memstream(&text, &size);
    begin(&options);
    put_loop();
    guest.cpu.r[1] = 10;
    run_to_breakpoint(CODE);
    fflush(options.dump_file);
    ck_assert_ptr_nonnull(strstr(text, "subs\tr1, r1, #1"));
    ck_assert_ptr_nonnull(strstr(text, "exit_if   ne, 0x10004"));
    ck_assert_ptr_nonnull(strstr(text, "optimized"));
    ck_assert_ptr_nonnull(strstr(text, "sub r8d, 0x1"));
    fclose(options.dump_file);
    free(text);

    FILE *json = open_memstream(&text, &size);

    translator_dump_json(translator, json);
    fclose(json);
    ck_assert_ptr_nonnull(strstr(text, "\"executions\": 9"));
    ck_assert_ptr_nonnull(strstr(text, "\"optimized\": ["));
    free(text);
    json = open_memstream(&text, &size);
    translator_profile(translator, json, 10);
    fclose(json);
    ck_assert_ptr_nonnull(strstr(text, "0x11100"));
    free(text);
}
END_TEST

START_TEST(the_usage_names_every_technique)
{
    char names[] = TRANSLATOR_TECHNIQUES;
    unsigned bits = 0;
    const char *bad;

    for (char *name = strtok(names, ", \n"); name; name = strtok(NULL, ", \n"))
        ck_assert_msg(translator_parse_without(name, &bits, &bad), "%s", name);
    ck_assert_uint_eq(bits, TRANSLATOR_NO_ALL);
}
END_TEST

START_TEST(unknown_names_of_stages_and_techniques_are_refused)
{
    unsigned bits = 0;
    const char *bad = NULL;

    ck_assert(translator_parse_dump("arm,x86", &bits, &bad));
    ck_assert_uint_eq(bits, TRANSLATOR_DUMP_ARM | TRANSLATOR_DUMP_X86);
    ck_assert(!translator_parse_dump("arm,x87", &bits, &bad));
    ck_assert_str_eq(bad, "x87");
    bits = 0;
    ck_assert(translator_parse_without("pins,chaining", &bits, &bad));
    ck_assert_uint_eq(bits, TRANSLATOR_NO_PINS | TRANSLATOR_NO_CHAINING);
    ck_assert(!translator_parse_without("pin", &bits, &bad));
}
END_TEST

/* ---- tiers ------------------------------------------------------------------------------ */

START_TEST(only_code_that_has_run_often_is_translated)
{
    put(CODE, ADD_R0(1));
    put(CODE + 4, BKPT);
    for (unsigned n = 0; n < 4; n++) {
        ck_assert_uint_eq(translator_stats(translator).blocks, n > 2);
        guest.cpu.r[0] = n;
        run_to_breakpoint(CODE);
        ck_assert_uint_eq(guest.cpu.r[0], n + 1);
    }
}
END_TEST

START_TEST(code_that_has_changed_is_cold_again)
{
    put(CODE, ADD_R0(1));
    put(CODE + 4, BKPT);
    for (unsigned n = 0; n < 3; n++)
        run_to_breakpoint(CODE);
    ck_assert_uint_eq(translator_stats(translator).blocks, 1);
    put(CODE, ADD_R0(2));
    guest.cpu.r[0] = 0;
    for (unsigned n = 0; n < 3; n++) {
        ck_assert_uint_eq(translator_stats(translator).blocks, 1);
        run_to_breakpoint(CODE);
    }
    ck_assert_uint_eq(guest.cpu.r[0], 6);
    ck_assert_uint_eq(translator_stats(translator).blocks, 2);
}
END_TEST

START_TEST(without_tiers_code_is_translated_at_once)
{
    teardown();
    begin(&(struct translator_options){.cold_runs = 2, .without = TRANSLATOR_NO_TIERING});
    put(CODE, BKPT);
    run_to_breakpoint(CODE);
    ck_assert_uint_eq(translator_stats(translator).blocks, 1);
}
END_TEST

/*
 * A loop's branch back leads to code that is cold still. That compares something else and
 * goes on to hot code, which asks. The branch's own comparison is over then.
 */
START_TEST(hot_code_behind_cold_code_knows_nothing_of_the_exit_before_both)
{
    const uint32_t cold = CODE, loop = CODE + 0x20, asks = CODE + 0x40;
    const uint32_t cold_code[] = {LDR_R5_R6, CMP(3, 4), B(cold + 8, asks)};
    const uint32_t loop_code[] = {CMP(1, 2), BNE(loop + 4, cold), BKPT};
    const uint32_t asks_code[] = {MOVEQ_R0(1), BKPT};

    put_code(cold, cold_code, ARRAY_SIZE(cold_code));
    put_code(loop, loop_code, ARRAY_SIZE(loop_code));
    put_code(asks, asks_code, ARRAY_SIZE(asks_code));
    guest.cpu.r[6] = DATA;
    for (unsigned n = 0; n < 3; n++) {
        run_to_breakpoint(loop);
        run_to_breakpoint(asks);
    }
    ck_assert_uint_eq(translator_stats(translator).blocks, 2);
    guest.cpu.r[0] = 0;
    guest.cpu.r[1] = 1; /* not r2: the loop goes on; but r3 is r4 */
    run_to_breakpoint(loop);
    ck_assert_uint_eq(guest.cpu.r[0], 1);
}
END_TEST

START_TEST(cold_code_that_is_interrupted_does_nothing)
{
    put(CODE, ADD_R0(1));
    put(CODE + 4, B(CODE + 4, CODE));
    guest.cpu.r[0] = 0;
    guest.cpu.interrupt = 1;
    ck_assert_int_eq(run(CODE).reason, ARM_INTERRUPTED);
    ck_assert_uint_eq(guest.cpu.r[0], 0);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE);
}
END_TEST

/* What holds whether code is translated at once or has been interpreted before. */
static void add_common(TCase *tests)
{
    tcase_add_test(tests, a_block_that_others_are_chained_to_can_change);
    tcase_add_test(tests, an_indirect_jump_remembers_its_first_target_and_finds_the_others);
    tcase_add_test(tests, a_guest_can_rewrite_its_own_code);
    tcase_add_test(tests, code_that_rewrites_the_next_instruction_goes_on);
    tcase_add_test(tests, a_constant_that_is_shifted_for_its_flags_is_added_shifted);
    tcase_add_test(tests, a_literal_that_changes_is_seen);
    tcase_add_test(tests, unmapped_code_does_not_run_again);
    tcase_add_test(tests, a_fault_shows_the_flags_that_a_loop_has_handed_on);
    tcase_add_test(tests, every_class_of_address_faults_and_reaches_nothing_of_ours);
    tcase_add_test(tests, code_that_runs_off_its_page_faults_at_the_next);
    tcase_add_test(tests, the_helper_page_is_a_stop);
    tcase_add_test(tests, endless_loops_of_any_kind_are_interrupted);
    tcase_add_test(tests, an_interruption_shows_exact_flags);
    tcase_add_test(tests, threads_share_a_cache_that_is_flushed_under_them);
    tcase_add_test(tests, a_child_process_has_a_cache_of_its_own);
}

static TCase *tiers(void)
{
    TCase *tests = tcase_create("tiers");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup_tiers, teardown);
    tcase_add_test(tests, only_code_that_has_run_often_is_translated);
    tcase_add_test(tests, code_that_has_changed_is_cold_again);
    tcase_add_test(tests, without_tiers_code_is_translated_at_once);
    tcase_add_test(tests, cold_code_that_is_interrupted_does_nothing);
    tcase_add_test(tests, hot_code_behind_cold_code_knows_nothing_of_the_exit_before_both);
    add_common(tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("translator");
    TCase *tests = tcase_create("translator");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    add_common(tests);
    tcase_add_test(tests, a_loop_translates_each_block_once_and_is_chained);
    tcase_add_test(tests, an_indirect_jump_is_chained_unless_its_target_comes_from_a_table);
    tcase_add_test(tests, a_block_ends_where_another_one_begins);
    tcase_add_test(tests, without_chaining_the_result_is_the_same);
    tcase_add_test(tests, a_million_straight_instructions_are_many_blocks);
    tcase_add_test(tests, a_cache_that_is_full_again_and_again_changes_nothing);
    tcase_add_test(tests, cacheflush_lets_the_page_be_written_afterwards);
    tcase_add_test(tests, no_page_is_writable_and_executable);
    tcase_add_test(tests, a_fault_shows_the_registers_of_that_moment);
    tcase_add_test(tests, a_list_half_in_an_unmapped_page_restores_its_base);
    tcase_add_test(tests, a_common_helper_is_a_block);
    tcase_add_test(tests, an_exchange_that_faults_is_the_helpers);
    tcase_add_test(tests, dumps_show_every_stage);
    tcase_add_test(tests, unknown_names_of_stages_and_techniques_are_refused);
    tcase_add_test(tests, the_usage_names_every_technique);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, tiers());
    return harness_main(suite);
}
