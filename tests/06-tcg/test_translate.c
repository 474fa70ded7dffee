/*
 * The translator against the reference interpreter: random programs, and what each of
 * the two leaves in registers, flags and memory.
 *
 * RANDOM_CASES=N runs N programs of each kind instead of a few thousand; RANDOM_SEED=N
 * begins elsewhere. A failing program is made smaller and printed as assembly.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "06-tcg/translate/translator.h"
#include "generate.h"

#define CASES_DEFAULT 4000
#define PROGRAM_UNITS 24

static struct guest judge, subject; /* interpreted; translated */
static struct translator *translator;

struct outcome {
    struct arm_stop stop;
    struct arm_cpu cpu;
};

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *value = getenv(name);

    return value ? strtoul(value, NULL, 0) : otherwise;
}

/* The judge's window takes address 0, so the subject's needs the segment; or vice versa. */
static void begin(bool subject_first, const struct translator_options *options)
{
    guest_init(subject_first ? &subject : &judge);
    guest_init(subject_first ? &judge : &subject);
    ck_assert_int_eq(translator_new(&translator, &subject.space, options), 0);
}

static void end(void)
{
    translator_free(translator);
    guest_free(&judge);
    guest_free(&subject);
}

static void load_bytes(struct guest *guest, uint32_t address, const void *bytes, size_t size)
{
    ck_assert_int_eq(space_write(&guest->space, address, bytes, size), 0);
}

/* The same registers, flags and data for both, all from the seed. */
static void load_state(struct guest *guest, uint64_t seed)
{
    static uint32_t data[1024];
    struct generator g = generator(seed ^ 0x5555, 0);
    struct arm_cpu *cpu = &guest->cpu;

    for (unsigned n = 0; n < ARRAY_SIZE(data); n++)
        data[n] = random_value(&g);
    load_bytes(guest, GENERATE_MIDDLE - sizeof data / 2, data, sizeof data);
    for (unsigned n = 0; n < 15; n++)
        cpu->r[n] = random_value(&g);
    cpu->r[ARM_PC] = CODE;
    cpu->thumb = 0;
    arm_set_cpsr(cpu, random_word(&g) & 0xf8000000);
    cpu->ge = 0;
    cpu->monitor = (struct arm_monitor){0};
    cpu->budget = 4000;
}

/* Registers that an LDM which faulted may or may not have loaded. */
static uint16_t uncertain(const struct outcome *outcome)
{
    struct arm_cpu cpu = outcome->cpu;
    struct arm_insn insn;
    struct arm_stop stop;

    if (outcome->stop.reason != ARM_FAULT || !arm_fetch(&cpu, cpu.r[ARM_PC], &insn, &stop) ||
        insn.op != ARM_LDM)
        return 0;
    return insn.list & ~(1u << insn.rn);
}

static const char *difference(const struct outcome *want, const struct outcome *have)
{
    static char text[160];
    uint16_t skip = uncertain(want);

    if (want->stop.reason != have->stop.reason || want->stop.value != have->stop.value ||
        want->stop.address != have->stop.address || want->stop.access != have->stop.access ||
        want->stop.unaligned != have->stop.unaligned) {
        snprintf(text, sizeof text, "stop %d %#x %#x, not %d %#x %#x", have->stop.reason,
                 have->stop.value, have->stop.address, want->stop.reason, want->stop.value,
                 want->stop.address);
        return text;
    }
    for (unsigned n = 0; n < 16; n++)
        if (want->cpu.r[n] != have->cpu.r[n] && !(skip >> n & 1)) {
            snprintf(text, sizeof text, "r%u is %#x, not %#x", n, have->cpu.r[n], want->cpu.r[n]);
            return text;
        }
    if (arm_cpsr(&want->cpu) != arm_cpsr(&have->cpu)) {
        snprintf(text, sizeof text, "CPSR is %#x, not %#x", arm_cpsr(&have->cpu),
                 arm_cpsr(&want->cpu));
        return text;
    }
    if (memcmp(space_at(&judge.space, DATA), space_at(&subject.space, DATA), DATA_SIZE) != 0)
        return "memory differs";
    return NULL;
}

/* Runs the program both ways. NULL, or how they differ. */
static const char *run_both(const struct generator *program, uint64_t seed, bool load)
{
    struct outcome want, have;

    if (load) {
        load_bytes(&judge, CODE, program->bytes, program->size);
        load_bytes(&subject, CODE, program->bytes, program->size);
    }
    load_state(&judge, seed);
    load_state(&subject, seed);
    want.stop = arm_run(&judge.cpu);
    if (want.stop.reason == ARM_BUDGET) { /* it may never end */
        load_bytes(&subject, DATA, space_at(&judge.space, DATA), DATA_SIZE);
        load_bytes(&subject, CODE, space_at(&judge.space, CODE), CODE_SIZE);
        return NULL;
    }
    have.stop = translator_run(translator, &subject.cpu);
    want.cpu = judge.cpu;
    have.cpu = subject.cpu;
    return difference(&want, &have);
}

/* Takes out of the program whatever it fails without. */
static void shrink(struct generator *program, uint64_t seed)
{
    for (unsigned n = 0; n < program->unit_count; n++) {
        struct generator smaller = *program;

        generate_blank(&smaller, &smaller.units[n]);
        if (run_both(&smaller, seed, true))
            *program = smaller;
    }
}

static void report(struct generator *program, uint64_t seed)
{
    const char *why;

    shrink(program, seed);
    why = run_both(program, seed, true);
    fprintf(stderr, "seed %#llx: %s\n", (unsigned long long)seed, why ? why : "(not repeatable)");
    generate_print(program, stderr);
    load_state(&judge, seed);
    for (unsigned n = 0; n < 16; n++)
        fprintf(stderr, "%sr%u=%#x", n % 4 ? "  " : "\n  ", n, judge.cpu.r[n]);
    fprintf(stderr, "  cpsr=%#x\n", arm_cpsr(&judge.cpu));
    ck_abort_msg("the translator and the interpreter disagree: %s", why ? why : "");
}

static void compare(unsigned what, unsigned units, const struct translator_options *options,
                    unsigned long cases)
{
    unsigned long count = setting("RANDOM_CASES", cases);
    uint64_t seed = setting("RANDOM_SEED", (unsigned long)time(NULL) * 1000003);

    printf("random programs: RANDOM_SEED=%#llx\n", (unsigned long long)seed);
    begin(seed % 2, options);
    for (unsigned long n = 0; n < count; n++) {
        struct generator program = generator(seed + n, what);

        generate_program(&program, CODE, 1 + random_below(&program, units));
        if (run_both(&program, seed + n, true))
            report(&program, seed + n);
    }
    end();
}

/*
 * Each program several times with other data: so its parts become hot at different times,
 * and the way leads from one tier to the other and back wherever there is a jump.
 */
START_TEST(code_that_becomes_hot_goes_on_where_the_interpreter_was)
{
    unsigned long count = setting("RANDOM_CASES", CASES_DEFAULT) / 8;
    uint64_t seed = setting("RANDOM_SEED", (unsigned long)time(NULL) * 1000003);

    for (unsigned cold = 1; cold <= 4; cold++) {
        struct translator_options options = {.cold_runs = cold};

        begin(seed % 2, &options);
        for (unsigned long n = 0; n < count; n++) {
            struct generator program = generator(seed + n,
                                                 GENERATE_ARM | GENERATE_THUMB | GENERATE_WILD);

            generate_program(&program, CODE, 1 + random_below(&program, PROGRAM_UNITS));
            for (uint64_t run = 0; run < cold + 3; run++) {
                const char *why = run_both(&program, seed + n + (run << 32), run == 0);

                ck_assert_msg(!why, "seed %#llx, cold %u, run %llu: %s",
                              (unsigned long long)(seed + n), cold, (unsigned long long)run, why);
            }
        }
        ck_assert_uint_gt(translator_stats(translator).blocks, count);
        end();
    }
}
END_TEST

START_TEST(single_instructions_do_what_the_interpreter_does)
{
    compare(GENERATE_ARM, 1, NULL, 5 * CASES_DEFAULT);
}
END_TEST

START_TEST(programs_do_what_the_interpreter_does)
{
    compare(GENERATE_ARM, PROGRAM_UNITS, NULL, CASES_DEFAULT);
}
END_TEST

START_TEST(thumb_programs_do_what_the_interpreter_does)
{
    compare(GENERATE_ARM | GENERATE_THUMB, PROGRAM_UNITS, NULL, CASES_DEFAULT);
}
END_TEST

START_TEST(wild_accesses_fault_as_the_interpreter_says)
{
    compare(GENERATE_ARM | GENERATE_THUMB | GENERATE_WILD, PROGRAM_UNITS, NULL, CASES_DEFAULT);
}
END_TEST

START_TEST(loops_do_what_the_interpreter_does)
{
    compare(GENERATE_ARM | GENERATE_LOOPS | GENERATE_WILD, PROGRAM_UNITS, NULL, CASES_DEFAULT);
    compare(GENERATE_ARM | GENERATE_LOOPS, 6, NULL, CASES_DEFAULT);
}
END_TEST

START_TEST(divisions_by_hand_do_what_the_interpreter_does)
{
    compare(GENERATE_ARM | GENERATE_DIVIDE | GENERATE_WILD, 8, NULL, CASES_DEFAULT);
}
END_TEST

START_TEST(random_words_do_what_the_interpreter_does)
{
    compare(GENERATE_ARM | GENERATE_WORDS | GENERATE_WILD, PROGRAM_UNITS, NULL, CASES_DEFAULT);
}
END_TEST

/* Each technique by itself, and all of them. */
START_TEST(leaving_techniques_out_changes_nothing)
{
    for (unsigned technique = 1; technique <= TRANSLATOR_NO_ALL + 1; technique <<= 1) {
        bool all = technique > TRANSLATOR_NO_ALL;
        struct translator_options options = {.without = all ? TRANSLATOR_NO_ALL : technique};

        compare(GENERATE_ARM | GENERATE_THUMB | GENERATE_WILD, PROGRAM_UNITS, &options,
                CASES_DEFAULT / 4);
    }
}
END_TEST

/* Blocks of one to seven instructions: values go through homes, flags are handed on. */
START_TEST(short_blocks_do_what_long_ones_do)
{
    for (unsigned limit = 1; limit < 8; limit++) {
        struct translator_options options = {.block_limit = limit, .count = true};

        compare(GENERATE_ARM | GENERATE_THUMB | GENERATE_WILD, PROGRAM_UNITS, &options,
                CASES_DEFAULT / 4);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("translate");
    TCase *tests = tcase_create("differential");

    tcase_set_timeout(tests, 3600);
    tcase_add_test(tests, single_instructions_do_what_the_interpreter_does);
    tcase_add_test(tests, programs_do_what_the_interpreter_does);
    tcase_add_test(tests, thumb_programs_do_what_the_interpreter_does);
    tcase_add_test(tests, wild_accesses_fault_as_the_interpreter_says);
    tcase_add_test(tests, loops_do_what_the_interpreter_does);
    tcase_add_test(tests, divisions_by_hand_do_what_the_interpreter_does);
    tcase_add_test(tests, random_words_do_what_the_interpreter_does);
    tcase_add_test(tests, leaving_techniques_out_changes_nothing);
    tcase_add_test(tests, short_blocks_do_what_long_ones_do);
    tcase_add_test(tests, code_that_becomes_hot_goes_on_where_the_interpreter_was);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
