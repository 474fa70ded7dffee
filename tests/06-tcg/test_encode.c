/*
 * The encoder against the GNU assembler: every form with every register, several
 * kinds of memory operand and of constants. The encoder's own text goes through
 * `as`; what comes out must be the encoder's bytes. So text and bytes are both right,
 * or the test fails with the first line on which they differ.
 */
#include "harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "06-tcg/x86/encode.h"
#include "common/bits.h"

#define BYTES_MAX (4u << 20)
#define LINES_MAX 400000u

struct recorder {
    FILE *source;
    char **lines;
    size_t *starts;
    size_t count;
};

static void record(void *self, size_t offset, const char *text)
{
    struct recorder *r = self;

    ck_assert_uint_lt(r->count, LINES_MAX);
    fprintf(r->source, "%s\n", text);
    r->lines[r->count] = strdup(text);
    r->starts[r->count++] = offset;
}

static const enum x86_width widths[] = {X86_8, X86_16, X86_32, X86_64};
static const int32_t constants[] = {0, 1, -1, 127, -128, 128, 0x1234, 0x7fffffff, INT32_MIN};
static const int32_t displacements[] = {0, 8, -128, 127, 128, 0x12345678};

/* A selection of addresses that has every special case of ModRM and SIB. */
static struct x86_operand memory(unsigned n)
{
    struct x86_operand mem = {.reg = X86_NO_REG, .base = n % 16, .index = X86_NO_REG};
    unsigned kind = n / 16 % 4;

    mem.disp = displacements[n % ARRAY_SIZE(displacements)];
    if (kind == 1 || kind == 3) {
        mem.index = (n * 7 + 3) % 16 == RSP ? R12 : (n * 7 + 3) % 16;
        mem.scale = n / 16 % 3 + 1;
    }
    if (kind == 3)
        mem.scale = n % 4;
    return mem;
}

#define MEMORIES 64u

static struct x86_operand guest(unsigned n)
{
    struct x86_operand mem = memory(n);

    mem.guest = true;
    if (mem.index != X86_NO_REG && n % 8 == 5)
        mem.base = X86_NO_REG;
    return mem;
}

static void all_bmi(struct x86_code *c, enum x86_width width, enum x86_reg reg,
                    struct x86_operand rm)
{
    enum x86_reg third = (reg * 5u + 2) % 16;

    x86_shift_by(c, X86_SHL, width, reg, rm, third);
    x86_shift_by(c, X86_SHR, width, reg, rm, third);
    x86_shift_by(c, X86_SAR, width, reg, rm, third);
    x86_rorx(c, width, reg, rm, 7);
    x86_bzhi(c, width, reg, rm, third);
    x86_mulx(c, width, reg, third, (reg * 7u + 3) % 16);
}

static void all_two_operand(struct x86_code *c, enum x86_reg reg, struct x86_operand rm)
{
    for (unsigned w = 0; w < 4; w++) {
        for (unsigned op = 0; op < 8; op++) {
            x86_alu(c, op, widths[w], reg, rm);
            x86_alu_to(c, op, widths[w], rm, reg);
        }
        x86_test(c, widths[w], rm, reg);
        if (widths[w] >= X86_32) {
            x86_imul(c, widths[w], reg, rm);
            x86_imul_imm(c, widths[w], reg, rm, -128);
            x86_imul_imm(c, widths[w], reg, rm, 0x12345678);
            if (!rm.guest)
                all_bmi(c, widths[w], reg, rm);
            for (unsigned cc = 0; cc < 16; cc++)
                x86_cmov(c, cc, widths[w], reg, rm);
        }
        if (x86_is_reg(rm)) {
            x86_mov(c, widths[w], reg, rm.reg);
        } else {
            x86_load(c, widths[w], reg, rm);
            x86_store(c, widths[w], rm, reg);
        }
    }
    for (unsigned w = 0; w < 2; w++) {
        x86_movzx(c, widths[w], reg, rm);
        x86_movsx(c, widths[w], reg, rm);
    }
    x86_movsxd(c, reg, rm);
    x86_bsr(c, reg, rm);
    if (!x86_is_reg(rm) && !rm.guest) {
        x86_lea(c, X86_32, reg, rm);
        x86_lea(c, X86_64, reg, rm);
    }
}

static void all_one_operand(struct x86_code *c, struct x86_operand rm)
{
    static const enum x86_shift shifts[] = {X86_ROL, X86_ROR, X86_RCR, X86_SHL, X86_SHR, X86_SAR};
    static const enum x86_unary unaries[] = {X86_NOT, X86_NEG, X86_MUL, X86_IMUL,
                                             X86_DIV, X86_INC, X86_DEC};

    for (unsigned w = 0; w < 4; w++) {
        for (unsigned op = 0; op < ARRAY_SIZE(shifts); op++) {
            x86_shift_imm(c, shifts[op], widths[w], rm, 1);
            x86_shift_imm(c, shifts[op], widths[w], rm, 7);
            x86_shift_cl(c, shifts[op], widths[w], rm);
        }
        for (unsigned op = 0; op < ARRAY_SIZE(unaries); op++)
            x86_unary(c, unaries[op], widths[w], rm);
        for (unsigned n = 0; n < ARRAY_SIZE(constants); n++) {
            for (unsigned op = 0; op < 8; op++)
                x86_alu_imm(c, op, widths[w], rm, constants[n]);
            x86_test_imm(c, widths[w], rm, constants[n]);
            if (!x86_is_reg(rm))
                x86_store_imm(c, widths[w], rm, constants[n]);
        }
        if (widths[w] >= X86_32)
            x86_bt(c, widths[w], rm, 31);
    }
    for (unsigned cc = 0; cc < 16; cc++)
        x86_setcc(c, cc, rm);
    if (!rm.guest)
        x86_jmp_to(c, rm);
}

static void all_registers(struct x86_code *c)
{
    for (enum x86_reg reg = RAX; reg < X86_REGS; reg++) {
        all_one_operand(c, x86_reg(reg));
        for (enum x86_reg other = RAX; other < X86_REGS; other++)
            all_two_operand(c, reg, x86_reg(other));
        x86_push(c, reg);
        x86_pop(c, reg);
        x86_bswap(c, reg);
        x86_mov_imm(c, reg, 0x89abcdef);
        x86_mov_imm64(c, reg, 0x123456789abcdef0);
    }
    x86_cmc(c);
    x86_mfence(c);
    x86_lahf(c);
    x86_sahf(c);
    x86_store_ah(c, x86_mem(RSP, 0x190));
    x86_store_ah(c, x86_mem(RBP, 8));
    x86_ret(c);
}

static void all_memory(struct x86_code *c, struct x86_operand (*kind)(unsigned n))
{
    for (unsigned n = 0; n < MEMORIES; n++) {
        all_one_operand(c, kind(n));
        for (unsigned reg = n % 3; reg < X86_REGS; reg += 3)
            all_two_operand(c, reg, kind(n));
    }
}

static void host_memory(struct x86_code *c)
{
    all_memory(c, memory);
}

static void guest_memory(struct x86_code *c)
{
    all_memory(c, guest);
}

/* Assembles path; the bytes go to a fresh buffer. */
static uint8_t *assemble(const char *path, size_t *size)
{
    char command[512];
    uint8_t *bytes = malloc(BYTES_MAX);
    FILE *file;

    snprintf(command, sizeof command,
             "as --64 -o %s.o %s && objcopy -O binary -j .text %s.o %s.bin", path, path, path,
             path);
    ck_assert_msg(system(command) == 0, "the assembler refuses our text: %s", command);
    snprintf(command, sizeof command, "%s.bin", path);
    file = fopen(command, "rb");
    ck_assert_ptr_nonnull(file);
    *size = fread(bytes, 1, BYTES_MAX, file);
    fclose(file);
    snprintf(command, sizeof command, "rm -f %s %s.o %s.bin", path, path, path);
    ck_assert_int_eq(system(command), 0);
    return bytes;
}

static void compare(void (*emit)(struct x86_code *c), bool segment)
{
    char path[] = "/tmp/encode-XXXXXX";
    int fd = mkstemp(path);
    struct recorder r = {.source = fdopen(fd, "w"),
                         .lines = calloc(LINES_MAX, sizeof *r.lines),
                         .starts = calloc(LINES_MAX + 1, sizeof *r.starts)};
    struct x86_code code = {.bytes = malloc(BYTES_MAX),
                            .limit = BYTES_MAX,
                            .segment = segment,
                            .listener = record,
                            .self = &r};
    size_t size, bad = 0;
    uint8_t *expected;

    fprintf(r.source, ".intel_syntax noprefix\n");
    emit(&code);
    fclose(r.source);
    ck_assert(!code.overflow);
    ck_assert_uint_gt(r.count, 1000);
    expected = assemble(path, &size);
    while (bad < code.size && bad < size && code.bytes[bad] == expected[bad])
        bad++;
    r.starts[r.count] = code.size;
    for (size_t n = 0; n < r.count; n++)
        if (bad < code.size && r.starts[n] <= bad && bad < r.starts[n + 1])
            ck_abort_msg("%s: byte %zu is %02x, the assembler has %02x", r.lines[n],
                         bad - r.starts[n], code.bytes[bad], expected[bad]);
    ck_assert_uint_eq(code.size, size);
    for (size_t n = 0; n < r.count; n++)
        free(r.lines[n]);
    free(r.lines);
    free(r.starts);
    free(code.bytes);
    free(expected);
}

START_TEST(every_register_form_is_what_the_assembler_makes_of_it)
{
    compare(all_registers, false);
}
END_TEST

START_TEST(every_host_memory_form_is_what_the_assembler_makes_of_it)
{
    compare(host_memory, false);
}
END_TEST

START_TEST(guest_addresses_are_of_32_bits)
{
    compare(guest_memory, false);
}
END_TEST

START_TEST(guest_addresses_can_count_from_a_segment)
{
    compare(guest_memory, true);
}
END_TEST

START_TEST(a_full_buffer_is_noticed_and_not_overrun)
{
    uint8_t bytes[8] = {0};
    struct x86_code code = {.bytes = bytes, .limit = 4};

    x86_mov_imm(&code, RAX, 0x11111111); /* five bytes */
    ck_assert(code.overflow);
    ck_assert_uint_le(code.size, 4);
    ck_assert_uint_eq(bytes[4], 0);
}
END_TEST

START_TEST(alignment_counts_the_lead)
{
    uint8_t bytes[64];

    for (unsigned size = 0; size < 16; size++) {
        struct x86_code code = {.bytes = bytes, .limit = sizeof bytes, .size = size};

        x86_align(&code, 3, 16);
        ck_assert_uint_eq((code.size + 3) % 16, 0);
        ck_assert_uint_lt(code.size - size, 16);
    }
}
END_TEST

START_TEST(jumps_reach_what_they_are_patched_to)
{
    uint8_t bytes[64];
    struct x86_code code = {.bytes = bytes, .limit = sizeof bytes};
    size_t jump = x86_jcc(&code, X86_NE, 0), later = x86_jmp(&code, X86_LATER),
           over = x86_jmp_short(&code);
    int32_t displacement;

    memcpy(&displacement, bytes + jump, 4);
    ck_assert_int_eq(displacement, -6);
    memcpy(&displacement, bytes + later, 4);
    ck_assert_int_eq(displacement, 0);
    x86_patch(&code, jump, 0x20);
    memcpy(&displacement, bytes + jump, 4);
    ck_assert_int_eq(displacement, 0x20 - 6);
    x86_ret(&code);
    x86_land(&code, over);
    ck_assert_uint_eq(bytes[over], 1);
}
END_TEST

START_TEST(only_instructions_that_change_flags_say_so)
{
    uint8_t bytes[64];
    struct x86_code code = {.bytes = bytes, .limit = sizeof bytes};

    x86_mov_imm(&code, RCX, 0);
    x86_lea(&code, X86_32, RAX, x86_mem(RAX, 1));
    x86_unary(&code, X86_NOT, X86_32, x86_reg(RAX));
    x86_setcc(&code, X86_E, x86_reg(RAX));
    x86_movzx(&code, X86_8, RAX, x86_reg(RAX));
    x86_shift_by(&code, X86_SHL, X86_32, RAX, x86_reg(RCX), RDX);
    x86_rorx(&code, X86_32, RAX, x86_reg(RCX), 7);
    x86_mulx(&code, X86_32, RAX, RCX, RBX);
    ck_assert(!code.flags_changed);
    x86_bzhi(&code, X86_32, RAX, x86_reg(RCX), RDX);
    ck_assert(code.flags_changed);
    code.flags_changed = false;
    x86_alu_imm(&code, X86_CMP, X86_32, x86_reg(RAX), 1);
    ck_assert(code.flags_changed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encode");
    TCase *tests = tcase_create("encode");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_register_form_is_what_the_assembler_makes_of_it);
    tcase_add_test(tests, every_host_memory_form_is_what_the_assembler_makes_of_it);
    tcase_add_test(tests, guest_addresses_are_of_32_bits);
    tcase_add_test(tests, guest_addresses_can_count_from_a_segment);
    tcase_add_test(tests, a_full_buffer_is_noticed_and_not_overrun);
    tcase_add_test(tests, alignment_counts_the_lead);
    tcase_add_test(tests, jumps_reach_what_they_are_patched_to);
    tcase_add_test(tests, only_instructions_that_change_flags_say_so);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
