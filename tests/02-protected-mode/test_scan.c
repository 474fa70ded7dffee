/* The decoder against objdump, the table against the manual, the sweep against tricks. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "02-protected-mode/before-vtx/insn.h"
#include "02-protected-mode/before-vtx/sensitive.h"
#include "common/bits.h"
#include "harness/harness.h"

START_TEST(lengths_are_those_of_the_manual)
{
    static const struct {
        const char *code;
        unsigned size, length; /* 0: refused */
    } rows[] = {
        {"\x90", 1, 1},
        {"\xf4", 1, 1},
        {"\x0f\x05", 2, 2},
        {"\x48\x89\xe5", 3, 3},                               /* mov rbp, rsp */
        {"\x48\x8b\x04\x25\x00\x10\x00\x00", 8, 8},           /* SIB, no base, disp32 */
        {"\x48\x8b\x05\x10\x00\x00\x00", 7, 7},               /* RIP-relative */
        {"\x48\x8b\x44\x24\x08", 5, 5},                       /* [rsp + 8] */
        {"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, 10}, /* mov rax, imm64 */
        {"\xb8\x01\x02\x03\x04", 5, 5},
        {"\x66\xb8\x01\x02", 4, 4},
        {"\x48\xa1\x01\x02\x03\x04\x05\x06\x07\x08", 10, 10}, /* moffs */
        {"\xf6\xc0\x01", 3, 3},                               /* test al, 1 */
        {"\xf6\xd0", 2, 2},                                   /* not al */
        {"\xf7\xc0\x01\x00\x00\x00", 6, 6},
        {"\xc8\x10\x00\x01", 4, 4},                     /* enter */
        {"\xf3\x0f\xc7\x34\x25\x00\x10\x00\x00", 9, 9}, /* vmxon */
        {"\x66\x0f\x3a\x0f\xc1\x08", 6, 6},             /* palignr */
        {"\x66\x0f\x38\x00\xc1", 5, 5},                 /* pshufb */
        {"\x66\xe9\x01\x02\x03\x04", 6, 6},             /* 0x66 ignored */
        {"\x48\x66\x90", 3, 3},                         /* a REX that counts not */
        {"\x06", 1, 0},                                 /* push es: not in 64 bits */
        {"\xc5\xf8\x77", 3, 0},                         /* vzeroupper: unknown */
        {"\x48", 1, 0},
        {"\x48\xb8\x01", 3, 0},
        {"\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", 16, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct insn insn;
        bool known = insn_decode((const uint8_t *)rows[i].code, rows[i].size, &insn);

        ck_assert_msg(known == (rows[i].length != 0) && (!known || insn.length == rows[i].length),
                      "row %u: length %u", i, known ? insn.length : 0);
    }
}
END_TEST

/* The bytes of one line of objdump -d: "  401000:\t48 89 e5 \tmov ...". */
static unsigned parse_bytes(const char *line, uint8_t *bytes)
{
    const char *at = strchr(line, '\t'), *end = at ? strchr(at + 1, '\t') : NULL;
    unsigned count = 0, byte;
    int used;

    while (end && end - at > 2 && count < INSN_MAX && sscanf(at, " %2x%n", &byte, &used) == 1 &&
           used <= 3) {
        bytes[count++] = (uint8_t)byte;
        at += used;
    }
    return count;
}

START_TEST(objdump_sees_the_same_boundaries)
{
    char command[1024], *line = NULL;
    unsigned compared = 0, unknown = 0;
    size_t room = 0;
    FILE *listing;

    snprintf(command, sizeof command, "objdump -d -w --section=.text %s", harness_built("hello"));
    listing = popen(command, "re");
    ck_assert_ptr_nonnull(listing);
    while (getline(&line, &room, listing) > 0) {
        uint8_t bytes[INSN_MAX + 1] = {0};
        unsigned count = parse_bytes(line, bytes);
        struct insn insn;

        if (count == 0 || strstr(line, "(bad)"))
            continue;
        if (!insn_decode(bytes, count, &insn)) {
            unknown++;
            continue;
        }
        compared++;
        ck_assert_msg(insn.length == count, "%u bytes, not: %s", insn.length, line);
    }
    free(line);
    ck_assert_int_eq(pclose(listing), 0);
    ck_assert_uint_gt(compared, 500);
    ck_assert_uint_lt(unknown * 50, compared);
}
END_TEST

START_TEST(random_bytes_never_read_past_the_end)
{
    srandom(4);
    for (unsigned round = 0; round < 200000; round++) {
        size_t size = (size_t)random() % (INSN_MAX + 2);
        uint8_t *code = malloc(size ? size : 1); /* exact: AddressSanitizer watches */
        struct insn insn;

        for (size_t i = 0; i < size; i++)
            code[i] = (uint8_t)(random() >> 5);
        if (insn_decode(code, size, &insn)) {
            ck_assert_uint_ge(insn.length, 1);
            ck_assert_uint_le(insn.length, size);
        }
        free(code);
    }
}
END_TEST

START_TEST(each_sensitive_instruction_is_known)
{
    static const struct {
        const char *code;
        size_t size;
        enum sensitivity kind;
        const char *name;
    } rows[] = {
        {"\xfa", 1, TRAPS, "cli"},
        {"\x9c", 1, SILENT, "pushf"},
        {"\x9d", 1, SILENT, "popf"},
        {"\x0f\x01\x03", 3, SILENT, "sgdt"},
        {"\x0f\x01\x0b", 3, SILENT, "sidt"},
        {"\x0f\x01\x13", 3, TRAPS, "lgdt"},
        {"\x0f\x01\xe0", 3, SILENT, "smsw"},
        {"\x0f\x01\xc1", 3, INNOCENT, ""}, /* vmcall, not sgdt */
        {"\x0f\x01\xf9", 3, INNOCENT, ""}, /* rdtscp, not invlpg */
        {"\x0f\x00\xc0", 3, SILENT, "sldt"},
        {"\x0f\x00\xc8", 3, SILENT, "str"},
        {"\x0f\x00\xd8", 3, TRAPS, "ltr"},
        {"\x0f\x00\xe0", 3, SILENT, "verr"},
        {"\x0f\x02\xc0", 3, SILENT, "lar"},
        {"\x8c\xc8", 2, SILENT, "mov r, sreg"},
        {"\x0f\x22\xd8", 3, TRAPS, "mov cr, r"},
        {"\xff\x1b", 2, SILENT, "call far"},
        {"\xff\x13", 2, INNOCENT, ""}, /* call near */
        {"\x90", 1, INNOCENT, ""},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *name = "";
        struct insn insn;

        ck_assert(insn_decode((const uint8_t *)rows[i].code, rows[i].size, &insn));
        ck_assert_msg(sensitivity(&insn, &name) == rows[i].kind, "row %u", i);
        ck_assert_str_eq(name, rows[i].name);
    }
}
END_TEST

START_TEST(the_sweep_finds_and_patches_the_silent_ones)
{
    /* cli; pushf; mov eax, 0x9d9d9d9d; popf; hlt */
    uint8_t code[] = {0xfa, 0x9c, 0xb8, 0x9d, 0x9d, 0x9d, 0x9d, 0x9d, 0xf4};
    struct scan found;

    ck_assert_int_eq(scan(code, sizeof code, &found), 0);
    ck_assert_uint_eq(found.count, 4);
    ck_assert_uint_eq(scan_patch(code, &found), 2);
    ck_assert_uint_eq(code[1], PATCH_INT3);
    ck_assert_uint_eq(code[3], 0x9d); /* the constant is left alone */
    ck_assert_uint_eq(code[7], PATCH_INT3);
    ck_assert_uint_eq(scan_find(&found, 7)->first, 0x9d);
    ck_assert_ptr_null(scan_find(&found, 3));
    ck_assert_ptr_null(scan_find(&found, UINT64_MAX));
    scan_free(&found);
}
END_TEST

/* What sensitive.h says that it cannot know. If it ever can, the text must change. */
START_TEST(the_sweep_misses_what_a_jump_uncovers)
{
    /* jmp over a byte that begins a long mov; popf, then hlt, are inside the mov */
    uint8_t code[] = {0xeb, 0x01, 0xb8, 0x9d, 0xf4, 0x90, 0x90, 0x90};
    struct scan found;

    ck_assert_int_eq(scan(code, sizeof code, &found), 0);
    ck_assert_uint_eq(found.count, 0);
    scan_free(&found);
}
END_TEST

START_TEST(the_sweep_takes_data_for_code)
{
    uint8_t text[] = "\xeb\x04\x9c\x9d\x9c\x9d"; /* a jump over four bytes of data */
    struct scan found;

    ck_assert_int_eq(scan(text, 6, &found), 0);
    ck_assert_uint_eq(found.count, 4);
    scan_free(&found);
}
END_TEST

int main(void)
{
    const char *no_objdump = system("command -v objdump >/dev/null") == 0 ? NULL
                                                                          : "no objdump here";
    Suite *suite = suite_create("decoder and scanner");
    TCase *tests = tcase_create("scan");

    tcase_add_test(tests, lengths_are_those_of_the_manual);
    harness_add(tests, objdump_sees_the_same_boundaries, no_objdump);
    tcase_add_test(tests, random_bytes_never_read_past_the_end);
    tcase_add_test(tests, each_sensitive_instruction_is_known);
    tcase_add_test(tests, the_sweep_finds_and_patches_the_silent_ones);
    tcase_add_test(tests, the_sweep_misses_what_a_jump_uncovers);
    tcase_add_test(tests, the_sweep_takes_data_for_code);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
