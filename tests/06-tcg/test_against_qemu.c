/*
 * The reference interpreter against qemu-arm, on random programs.
 *
 * Thousands of cases are strung together in one ELF file, written by hand, so that
 * starting qemu-arm costs little. A case needs no register of its own: it loads all
 * of them relative to the PC, runs its program, and stores them relative to the PC.
 *
 *   +-- 16 words: CPSR, R0 .. R14 to start with
 *   |   16 words: R0 .. R14, CPSR at the end, filled in by the case
 *   |   LDR, MSR, LDR ...            load the state
 *   |   the random program           generate.h
 *   +-- STR ..., MRS, STR, B         store the state, on to the next case
 *
 * Then the file writes itself to its standard output and exits. The same image runs
 * in the interpreter, and the two are compared case by case. SEED and CASES in the
 * environment choose others.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "generate.h"

#define IMAGE      0x100000u
#define IMAGE_SIZE 0x800000u
#define HEAD       128 /* bytes of state before a case's code */

struct state {
    uint32_t cpsr, r[15];
};

/* One ELF file's worth of cases. */
struct batch {
    uint8_t *image;
    uint32_t size;
    unsigned count;
    uint32_t at[16384]; /* where each case is */
};

static void put(struct batch *b, uint32_t word)
{
    memcpy(b->image + b->size, &word, 4);
    b->size += 4;
}

/* LDR or STR Rt, [PC, #target - here - 8]; the target lies before. */
static void put_pc_relative(struct batch *b, bool load, unsigned rt, uint32_t target)
{
    put(b, (load ? 0xe51f0000 : 0xe50f0000) | rt << 12 | (b->size + 8 - target));
}

static void put_case(struct batch *b, const struct generator *g, const struct state *state)
{
    uint32_t head = b->size;

    b->at[b->count++] = head;
    memcpy(b->image + head, state, sizeof *state);
    b->size += HEAD;
    put_pc_relative(b, true, 0, head);
    put(b, 0xe12cf000); /* MSR CPSR_fs, R0 */
    for (unsigned r = 0; r < 15; r++)
        put_pc_relative(b, true, r, head + 4 + 4 * r);
    memcpy(b->image + b->size, g->bytes, g->size - 4); /* without its SVC */
    b->size += g->size - 4;
    for (unsigned r = 0; r < 15; r++)
        put_pc_relative(b, false, r, head + 64 + 4 * r);
    put(b, 0xe10f0000); /* MRS R0, CPSR */
    put_pc_relative(b, false, 0, head + 124);
    put(b, 0xea000000 | (HEAD - 4) / 4); /* B over the next head */
}

/* Where the program of a case begins, so that it can be made for that address. */
static uint32_t program_address(const struct batch *b)
{
    return IMAGE + b->size + HEAD + 17 * 4;
}

/* write(1, IMAGE, size), write(1, DATA, DATA_SIZE), exit_group(0) */
static void put_end(struct batch *b)
{
    uint32_t literals, calls[] = {4, 1, IMAGE, 0, 4, 1, DATA, DATA_SIZE, 248, 0, 0, 0};

    b->size += HEAD;
    literals = b->size - sizeof calls;
    for (unsigned call = 0; call < 3; call++) {
        put_pc_relative(b, true, 7, literals + 16 * call);
        for (unsigned r = 0; r < 3; r++)
            put_pc_relative(b, true, r, literals + 16 * call + 4 + 4 * r);
        put(b, 0xef000000);
    }
    calls[3] = b->size;
    memcpy(b->image + literals, calls, sizeof calls);
}

static void write_elf(const struct batch *b, const char *path)
{
    Elf32_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_ARM,
        .e_version = EV_CURRENT,
        .e_entry = IMAGE + HEAD,
        .e_phoff = sizeof header,
        .e_flags = 0x05000200, /* EABI 5, soft float */
        .e_ehsize = sizeof header,
        .e_phentsize = sizeof(Elf32_Phdr),
        .e_phnum = 2};
    Elf32_Phdr segments[] = {
        {PT_LOAD, 0x1000, IMAGE, IMAGE, b->size, b->size, PF_R | PF_W | PF_X, 0x1000},
        {PT_LOAD, 0, DATA, DATA, 0, DATA_SIZE, PF_R | PF_W, 0x1000},
    };
    int fd = open(path, O_WRONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fchmod(fd, 0700), 0); /* qemu-arm looks, as execve() does */
    ck_assert_int_eq(pwrite(fd, &header, sizeof header, 0), sizeof header);
    ck_assert_int_eq(pwrite(fd, segments, sizeof segments, sizeof header), sizeof segments);
    ck_assert_int_eq(pwrite(fd, b->image, b->size, 0x1000), b->size);
    close(fd);
}

/* What each made of a batch: the image and the data after it, and how it ended. */
static uint8_t image[IMAGE_SIZE], ours[IMAGE_SIZE + DATA_SIZE], theirs[IMAGE_SIZE + DATA_SIZE];
static char our_end[200], their_end[200]; /* "" if as it should */

static void run_qemu(const struct batch *b)
{
    char path[] = "/tmp/ring1-qemu-XXXXXX";
    const char *argv[] = {"qemu-arm", path, NULL};
    struct program program;
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    close(fd);
    write_elf(b, path);
    program = program_run(argv, NULL, 60);
    their_end[0] = '\0';
    if (program.status || program.out_size != b->size + DATA_SIZE)
        snprintf(their_end, sizeof their_end, "status %d, %s", program.status, program.err);
    memcpy(theirs, program.out, program.out_size);
    program_free(&program);
    unlink(path);
}

static void run_interpreter(const struct batch *b)
{
    struct guest guest;

    guest_init(&guest);
    ck_assert_int_eq(
        space_map(&guest.space, IMAGE, align_up(b->size, 4096), SPACE_PROT, false, -1, 0), 0);
    memcpy(space_at(&guest.space, IMAGE), b->image, b->size);
    guest.cpu.r[ARM_PC] = IMAGE + HEAD;
    our_end[0] = '\0';
    for (unsigned call = 0; call < 3; call++) {
        struct arm_stop stop = arm_run(&guest.cpu);

        if (stop.reason == ARM_SVC)
            continue;
        snprintf(our_end, sizeof our_end, "stop %d at %08x: value %08x, address %08x", stop.reason,
                 guest.cpu.r[ARM_PC], stop.value, stop.address);
        break;
    }
    memcpy(ours, space_at(&guest.space, IMAGE), b->size);
    memcpy(ours + b->size, space_at(&guest.space, DATA), DATA_SIZE);
    guest_free(&guest);
}

#define SAME    (-1)
#define UNKNOWN (-2) /* one of them crashed, or only the data differs */

/* Runs the batch in both. The number of the first case that ends differently. */
static int first_difference(const struct batch *b)
{
    run_qemu(b);
    run_interpreter(b);
    if (our_end[0] || their_end[0])
        return UNKNOWN;
    for (unsigned i = 0; i < b->count; i++)
        if (memcmp(ours + b->at[i] + 64, theirs + b->at[i] + 64, 64) != 0)
            return (int)i;
    return memcmp(ours + b->size, theirs + b->size, DATA_SIZE) == 0 ? SAME : UNKNOWN;
}

static struct batch batch;

/* Runs one case alone. */
static bool differs(const struct generator *g, const struct state *state)
{
    batch = (struct batch){.image = image};
    put_case(&batch, g, state);
    put_end(&batch);
    return first_difference(&batch) != SAME;
}

static struct state random_state(struct generator *g)
{
    struct state state;

    state.cpsr = (random_word(g) & 0xf80f0000) | CPSR_USER;
    for (unsigned r = 0; r < 15; r++)
        state.r[r] = random_value(g);
    return state;
}

static struct generator nth_case(uint64_t seed, unsigned n, unsigned options, uint32_t address,
                                 struct state *state)
{
    struct generator g = generator(seed * 1000003 + n, options);

    *state = random_state(&g);
    generate_program(&g, address, 1 + random_below(&g, 50));
    return g;
}

/*
 * If case n differs on its own: takes out what is not needed for that, prints what is
 * left, and fails the test.
 */
static void report(uint64_t seed, unsigned n, unsigned options)
{
    static const char *const names[16] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
                                          "r8", "r9", "r10", "r11", "r12", "sp", "lr", "cpsr"};
    struct state state;
    struct generator g;

    batch = (struct batch){.image = image};
    g = nth_case(seed, n, options, program_address(&batch), &state);
    if (!differs(&g, &state))
        return;
    for (unsigned i = 0; i < g.unit_count; i++) {
        struct generator smaller = g;

        generate_blank(&smaller, &g.units[i]);
        if (differs(&smaller, &state))
            g = smaller;
    }
    differs(&g, &state);
    fprintf(stderr, "seed %lu, case %u\n", (unsigned long)seed, n);
    fprintf(stderr, "ours: %s\nqemu-arm: %s\n", our_end, their_end);
    generate_print(&g, stderr);
    for (unsigned i = 0; i < 16; i++) {
        uint32_t mine, qemu;

        memcpy(&mine, ours + 64 + 4 * i, 4);
        memcpy(&qemu, theirs + 64 + 4 * i, 4);
        fprintf(stderr, "%4s: before %08x, ours %08x, qemu-arm's %08x%s\n", names[i],
                i == 15 ? state.cpsr : state.r[i], mine, qemu, mine == qemu ? "" : "  <--");
    }
    ck_abort_msg("seed %lu: case %u differs from qemu-arm", (unsigned long)seed, n);
}

static void compare(unsigned options, unsigned cases)
{
    uint64_t seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 0) : 1;
    const char *wish = getenv("CASES");
    unsigned done = 0;

    for (cases = wish ? (unsigned)strtoul(wish, NULL, 0) : cases; done < cases;) {
        unsigned first = done;
        int wrong;

        batch = (struct batch){.image = image};
        while (done < cases && batch.count < ARRAY_SIZE(batch.at) &&
               batch.size < IMAGE_SIZE - GENERATE_BYTES) {
            struct state state;
            struct generator g = nth_case(seed, done++, options, program_address(&batch), &state);

            put_case(&batch, &g, &state);
        }
        put_end(&batch);
        wrong = first_difference(&batch);
        if (wrong == SAME)
            continue;
        for (unsigned n = first + (wrong == UNKNOWN ? 0 : (unsigned)wrong); n < done; n++)
            report(seed, n, options);
        ck_abort_msg("seed %lu: cases %u to %u differ, but none alone: %s %s", (unsigned long)seed,
                     first, done, our_end, their_end);
    }
}

START_TEST(random_arm_programs_end_as_under_qemu_arm)
{
    compare(GENERATE_ARM, 6000);
}
END_TEST

START_TEST(random_words_that_we_accept_end_as_under_qemu_arm)
{
    compare(GENERATE_ARM | GENERATE_WORDS, 6000);
}
END_TEST

START_TEST(random_thumb_programs_end_as_under_qemu_arm)
{
    compare(GENERATE_THUMB, 6000);
}
END_TEST

START_TEST(programs_that_change_the_instruction_set_end_as_under_qemu_arm)
{
    compare(GENERATE_ARM | GENERATE_THUMB, 6000);
}
END_TEST

static const char *no_qemu(void)
{
    return system("qemu-arm --version >/dev/null 2>&1") == 0 ? NULL
                                                             : "no qemu-arm; install qemu-user";
}

int main(void)
{
    Suite *suite = suite_create("against_qemu");
    TCase *tests = tcase_create("against_qemu");

    tcase_set_timeout(tests, 600);
    harness_add(tests, random_arm_programs_end_as_under_qemu_arm, no_qemu());
    harness_add(tests, random_words_that_we_accept_end_as_under_qemu_arm, no_qemu());
    harness_add(tests, random_thumb_programs_end_as_under_qemu_arm, no_qemu());
    harness_add(tests, programs_that_change_the_instruction_set_end_as_under_qemu_arm, no_qemu());
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
