/*
 * fuzz/translate.c: libFuzzer looks for programs on which the translator and the
 * interpreter disagree.
 *
 *     make -C chapters/06-tcg fuzz                 a minute of it, under AddressSanitizer
 *     make -C chapters/06-tcg fuzz SECONDS=3600
 *
 * The input is a program: a byte of choices, sixteen of state, then instructions in the
 * encoding of the processor. What generate.h finds suitable is kept; what would leave
 * the program ends it. Random programs try everything once; the fuzzer sees which code
 * of ours a program reaches and goes on from there.
 */
#include "tests/06-tcg/generate.h"
#include "06-tcg/translate/translator.h"

#define CHOICE_THUMB 0x01u
#define CHOICE_WILD  0x02u
#define CHOICE_PLAIN 0x04u /* without optimizer, chaining and pinned registers */
#define HEADER       17u

static struct guest judge, full, plain; /* interpreted; translated in two ways */
static struct translator *full_translator, *plain_translator;

/* guest_init() is for libcheck's tests; here nobody collects their verdicts. */
static void make_guest(struct guest *guest)
{
    *guest = (struct guest){0};
    guest->cpu.space = &guest->space;
    if (space_init(&guest->space) < 0 ||
        space_map(&guest->space, CODE, CODE_SIZE, SPACE_PROT, false, -1, 0) < 0 ||
        space_map(&guest->space, DATA, DATA_SIZE, SPACE_READ | SPACE_WRITE, false, -1, 0) < 0)
        abort();
    fault_install();
}

static void set_up(void)
{
    static const struct translator_options options = {
        .without = TRANSLATOR_NO_OPTIMIZER | TRANSLATOR_NO_CHAINING | TRANSLATOR_NO_PINS};

    make_guest(&judge);
    make_guest(&full);
    make_guest(&plain);
    if (translator_new(&full_translator, &full.space, NULL) < 0 ||
        translator_new(&plain_translator, &plain.space, &options) < 0)
        abort();
}

/* The program of the input. False: there is none in it. */
static bool read_program(struct generator *g, const uint8_t *data, size_t size)
{
    bool thumb = data[0] & CHOICE_THUMB, wild = data[0] & CHOICE_WILD;

    g->address = CODE;
    if (thumb)
        enter_thumb(g);
    for (size_t at = HEADER; at + 4 <= size && g->unit_count < GENERATE_UNITS; at += 4) {
        struct arm_insn insn;
        uint32_t raw;

        memcpy(&raw, data + at, 4);
        insn = thumb ? arm_decode_thumb(raw & 0xffff) : arm_decode(raw);
        if (insn.op != ARM_UNDEF && is_suitable(g, &insn))
            generate_insn(g, &insn, thumb, wild);
    }
    if (thumb)
        enter_arm(g);
    generate_put(g, 0xef000000, 4);
    return g->unit_count > 0;
}

static void load(struct guest *guest, const struct generator *g, const uint8_t *state)
{
    static uint8_t code[CODE_SIZE];
    struct arm_cpu *cpu = &guest->cpu;

    /* All pages: a program may read what another one left behind its code. */
    memcpy(code, g->bytes, sizeof g->bytes);
    if (space_write(&guest->space, CODE, code, CODE_SIZE) < 0)
        abort();
    for (unsigned n = 0; n < 15; n++)
        cpu->r[n] = state[n] & 0x80 ? UINT32_C(1) << (state[n] & 31) : (uint32_t)(int8_t)state[n];
    cpu->r[ARM_PC] = CODE;
    cpu->thumb = 0;
    arm_set_cpsr(cpu, (uint32_t)state[15] << 24);
    cpu->monitor = (struct arm_monitor){0};
    cpu->budget = 100000;
}

static bool same(const struct guest *subject, const struct arm_stop *a, const struct arm_stop *b)
{
    const struct arm_cpu *x = &judge.cpu, *y = &subject->cpu;

    if (a->reason != b->reason || a->address != b->address || x->r[ARM_PC] != y->r[ARM_PC])
        return false;
    if (a->reason == ARM_FAULT) /* a list may be half done */
        return true;
    return memcmp(x->r, y->r, sizeof x->r) == 0 && arm_cpsr(x) == arm_cpsr(y) &&
           memcmp(space_at(&judge.space, DATA), space_at(&subject->space, DATA), DATA_SIZE) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(const struct generator *g, const struct guest *subject,
                   const struct arm_stop *wanted, const struct arm_stop *had)
{
    generate_print(g, stderr);
    for (unsigned n = 0; n < 16; n++)
        fprintf(stderr, "r%u: interpreted %08x, translated %08x\n", n, judge.cpu.r[n],
                subject->cpu.r[n]);
    fprintf(stderr, "cpsr: %08x, %08x; stop: %d %08x, %d %08x\n", arm_cpsr(&judge.cpu),
            arm_cpsr(&subject->cpu), wanted->reason, wanted->address, had->reason, had->address);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct generator g = {0};
    struct guest *subject;
    struct arm_stop wanted, had;

    if (!full_translator)
        set_up();
    if (size < HEADER + 4 || !read_program(&g, data, size))
        return 0;
    subject = data[0] & CHOICE_PLAIN ? &plain : &full;
    /* What the last program left in memory is not known: it may have been the other's. */
    memset(space_at(&judge.space, DATA), data[1], DATA_SIZE);
    memset(space_at(&subject->space, DATA), data[1], DATA_SIZE);
    load(&judge, &g, data + 1);
    load(subject, &g, data + 1);
    wanted = arm_run(&judge.cpu);
    had = translator_run(subject == &plain ? plain_translator : full_translator, &subject->cpu);
    if (!same(subject, &wanted, &had))
        report(&g, subject, &wanted, &had);
    return 0;
}
