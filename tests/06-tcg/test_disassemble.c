/* One table, two tools: what the decoder knows, printed, against GNU objdump. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "06-tcg/arm/insn.h"
#include "common/bits.h"
#include "common/file.h"
#include "harness/harness.h"

#define OBJDUMP "arm-linux-gnueabi-objdump"
#define LIBC    "/usr/arm-linux-gnueabi/lib/libc.so.6"

static struct arm_insn decode(uint32_t raw, bool thumb)
{
    return thumb ? arm_decode_thumb(raw) : arm_decode(raw);
}

static const struct {
    uint32_t raw;
    const char *text;
} arm_lines[] =
    {
        {0xe0810002, "add\tr0, r1, r2"},
        {0xe2810eff, "add\tr0, r1, #4080"},
        {0x00910312, "addseq\tr0, r1, r2, lsl r3"},
        {0xe0810022, "add\tr0, r1, r2, lsr #32"},
        {0xe0810062, "add\tr0, r1, r2, rrx"},
        {0xe1a00000, "nop"},
        {0xe1b00100, "lsls\tr0, r0, #2"},
        {0xe1a00061, "rrx\tr0, r1"},
        {0xe3a00f01, "mov\tr0, #1, 30"}, /* not as an assembler would encode it */
        {0xe3a00102, "mov\tr0, #-2147483648"},
        {0xe52d0004, "push\t{r0}"},
        {0xe92d4003, "push\t{r0, r1, lr}"},
        {0xe8bd8001, "pop\t{r0, pc}"},
        {0xe9b00006, "ldmib\tr0!, {r1, r2}"},
        {0xe5110000, "ldr\tr0, [r1, #-0]"},
        {0xe7110102, "ldr\tr0, [r1, -r2, lsl #2]"},
        {0xe16200d8, "ldrd\tr0, [r2, #-8]!"},
        {0xe0d100d2, "ldrsb\tr0, [r1], #2"},
        {0xe10032a1, "smlatb\tr0, r1, r2, r3"},
        {0xe6f10872, "uxtah\tr0, r1, r2, ror #16"},
        {0xe6a70251, "ssat\tr0, #8, r1, asr #4"},
        {0xe6e80011, "usat\tr0, #8, r1"},
        {0xeafffffe, "b\t0x1000"},
        {0xfb000012, "blx\t0x1052"},
        {0xe12ff001, "msr\tCPSR_fsxc, r1"},
        {0xef000123, "svc\t0x00000123"},
        {0xee010f10, ".word\t0xee010f10"},
},
  thumb_lines[] = {
      {0x1888, "adds\tr0, r1, r2"},
      {0x4248, "negs\tr0, r1"},
      {0x4485, "add\tsp, r0"},
      {0x4804, "ldr\tr0, [pc, #16]"},
      {0xb50f, "push\t{r0, r1, r2, r3, lr}"},
      {0xc805, "ldmia\tr0, {r0, r2}"},
      {0xd0fe, "beq.n\t0x1000"},
      {0xf830f000, "bl\t0x1064"},
      {0xe832f000, "blx\t0x1068"},
      {0xbf08, ".short\t0xbf08"},
};

static void expect_text(uint32_t raw, bool thumb, const char *expected)
{
    struct arm_insn insn = decode(raw, thumb);
    char text[80];

    ck_assert_str_eq(arm_disassemble(&insn, 0x1000, text, sizeof text), expected);
}

START_TEST(instructions_read_as_the_assembler_writes_them)
{
    for (unsigned i = 0; i < ARRAY_SIZE(arm_lines); i++)
        expect_text(arm_lines[i].raw, false, arm_lines[i].text);
    for (unsigned i = 0; i < ARRAY_SIZE(thumb_lines); i++)
        expect_text(thumb_lines[i].raw, true, thumb_lines[i].text);
}
END_TEST

START_TEST(a_short_buffer_is_not_overrun)
{
    struct arm_insn insn = arm_decode(0xe8bdffff);
    char text[8];

    memset(text, 'x', sizeof text);
    arm_disassemble(&insn, 0, text, 7);
    ck_assert_str_eq(text, "pop\t{r");
    ck_assert_int_eq(text[7], 'x');
}
END_TEST

/* objdump's line less its comment, symbols and trailing blanks. */
static void strip(char *line)
{
    static const char *const ends[] = {" <", "@", ";", "\n"};
    size_t length;

    for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
        char *end = strstr(line, ends[i]);

        if (end)
            *end = '\0';
    }
    for (length = strlen(line); length && strchr(" \t", line[length - 1]);)
        line[--length] = '\0';
}

/* A list of one register is PUSH in UAL and STMFD to objdump; SSAT's ASR #32 is its ASR #0. */
static const char *modern(char *line, char *buffer, size_t size)
{
    static const char *const old[][2] = {{"stmfd", "push"}, {"ldmfd", "pop"}};
    size_t length = strlen(line);

    for (unsigned i = 0; i < 2; i++) {
        char *sp = strstr(line, "\tsp!, ");

        if (strncmp(line, old[i][0], 5) == 0 && sp) {
            snprintf(buffer, size, "%s%.*s\t%s", old[i][1], (int)(sp - line - 5), line + 5, sp + 6);
            return buffer;
        }
    }
    if (length > 7 && strcmp(line + length - 7, " asr #0") == 0) {
        snprintf(buffer, size, "%.*s#32", (int)length - 2, line);
        return buffer;
    }
    return line;
}

/* Compares all that we decode in the file of size bytes; how many lines that were. */
static unsigned long compare(const char *path, const uint8_t *bytes, size_t size, bool thumb)
{
    char command[512], line[256], text[80], buffer[256];
    unsigned long compared = 0, address;
    FILE *pipe;

    snprintf(command, sizeof command, OBJDUMP " -D -z -b binary -m %s %s 2>/dev/null",
             thumb ? "armv7 -M force-thumb" : "arm", path);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    while (fgets(line, sizeof line, pipe)) {
        char *at;
        uint32_t raw = 0;
        struct arm_insn insn;

        if (sscanf(line, " %lx:", &address) != 1 || !strchr(line, ':') || address + 2 > size)
            continue;
        at = strchr(line, '\t');
        at = at ? strchr(at + 1, '\t') : NULL;
        if (!at)
            continue;
        memcpy(&raw, bytes + address, size - address < 4 ? 2 : 4);
        insn = decode(raw, thumb);
        if (insn.op == ARM_UNDEF)
            continue; /* it does not promise anything, so we need not print it alike */
        strip(at + 1);
        arm_disassemble(&insn, (uint32_t)address, text, sizeof text);
        ck_assert_msg(strcmp(text, modern(at + 1, buffer, sizeof buffer)) == 0,
                      "%08x: ours '%s', objdump's '%s'", insn.raw, text, at + 1);
        compared++;
    }
    ck_assert_int_eq(pclose(pipe), 0);
    return compared;
}

static void compare_random(bool thumb, unsigned count)
{
    char path[] = "/tmp/disassemble-XXXXXX";
    int fd = mkstemp(path);
    uint32_t *words = malloc(4 * count);
    unsigned long seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 0) : 1, compared;
    uint64_t state = seed * 2 + 1;

    ck_assert_int_ge(fd, 0);
    for (unsigned i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        words[i] = (uint32_t)(state >> 32);
        if (thumb) /* an IT would put conditions on what follows it */
            words[i] &= ~((words[i] & 0xff00) == 0xbf00 ? 0x2000u : 0) &
                        ~(words[i] >> 24 == 0xbf ? 0x20000000u : 0);
    }
    ck_assert_int_eq(write(fd, words, 4 * count), 4 * count);
    close(fd);
    compared = compare(path, (uint8_t *)words, 4 * count, thumb);
    unlink(path);
    free(words);
    ck_assert_uint_gt(compared, count / 2);
}

START_TEST(random_arm_words_read_as_objdump_prints_them)
{
    compare_random(false, 200000);
}
END_TEST

START_TEST(random_thumb_words_read_as_objdump_prints_them)
{
    compare_random(true, 100000);
}
END_TEST

/* A whole C library, its data included: what compilers and people really write. */
START_TEST(a_c_library_reads_as_objdump_prints_it)
{
    struct refusal why;
    uint8_t *bytes;
    size_t size;

    ck_assert_msg(file_read_all(LIBC, 64 * MIB, &bytes, &size, &why) == 0, "%s", why.text);
    ck_assert_uint_gt(compare(LIBC, bytes, size, false), size / 4 / 2);
    free(bytes);
}
END_TEST

static const char *no_objdump(void)
{
    return system(OBJDUMP " --version >/dev/null 2>&1") == 0
               ? NULL
               : "no " OBJDUMP "; install binutils-arm-linux-gnueabi";
}

static const char *no_libc(void)
{
    if (no_objdump())
        return no_objdump();
    return access(LIBC, R_OK) == 0 ? NULL : "no " LIBC "; install libc6-armel-cross";
}

int main(void)
{
    Suite *suite = suite_create("disassemble");
    TCase *tests = tcase_create("disassemble");

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, instructions_read_as_the_assembler_writes_them);
    tcase_add_test(tests, a_short_buffer_is_not_overrun);
    harness_add(tests, random_arm_words_read_as_objdump_prints_them, no_objdump());
    harness_add(tests, random_thumb_words_read_as_objdump_prints_them, no_objdump());
    harness_add(tests, a_c_library_reads_as_objdump_prints_it, no_libc());
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
