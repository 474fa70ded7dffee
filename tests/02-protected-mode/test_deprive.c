/* Trap and emulate in a process: the same text as in ring 0, and no way out. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "02-protected-mode/before-vtx/cost.h"
#include "02-protected-mode/before-vtx/deprive.h"
#include "02-protected-mode/before-vtx/pretended.h"
#include "02-protected-mode/before-vtx/trials.h"
#include "02-protected-mode/x86.h"
#include "common/bits.h"
#include "harness/harness.h"

#define SECTION "book/02-protected-mode.md, \"Before VT-x\""

/* What guest/deprived.asm says in ring 0: its "; expect:" lines. */
#define TRUTH                                                                                      \
    "ring 0, data segment 0x10, task 0x20, local table 0x0\n"                                      \
    "CR0 by mov 0x80000011, by smsw 0x80000011\n"                                                  \
    "after cli the interrupt flag is 0\n"                                                          \
    "after sti the interrupt flag is 1\n"                                                          \
    "after popf of 0 the interrupt flag is 0\n"                                                    \
    "lgdt then sgdt: the same\n"                                                                   \
    "lidt then sidt: the same\n"

static struct program before_vtx(const char *a, const char *b, const char *c)
{
    const char *argv[] = {harness_built("before-vtx"), a, b, c, NULL};

    return program_run(argv, NULL, 20);
}

START_TEST(patched_it_says_what_it_says_in_ring_0)
{
    struct program ran = before_vtx("run", "--patch", NULL);

    if (ran.status != 0 || strcmp(ran.out, TRUTH) != 0)
        e2e_fail(SECTION, TRUTH, "an instruction emulated wrongly, or not patched", "%s%s", ran.out,
                 ran.err);
    program_free(&ran);
}
END_TEST

START_TEST(unpatched_it_is_told_lies)
{
    struct program ran = before_vtx("run", NULL, NULL);

    ck_assert_int_eq(ran.status, 0);
    ck_assert_ptr_nonnull(strstr(ran.out, "ring 3, "));
    ck_assert_ptr_nonnull(strstr(ran.out, "after cli the interrupt flag is 1\n"));
    ck_assert_ptr_nonnull(strstr(ran.out, "after popf of 0 the interrupt flag is 1\n"));
    ck_assert_ptr_nonnull(strstr(ran.out, "lgdt then sgdt: another\n"));
    ck_assert_ptr_nonnull(strstr(ran.out, "CR0 by mov 0x80000011, ")); /* that one traps */
    ck_assert_ptr_nonnull(strstr(ran.err, ", 0 patched to trap"));
    program_free(&ran);
}
END_TEST

START_TEST(the_sweep_is_fooled_as_the_text_says)
{
    struct program ran = before_vtx("run", "--patch",
                                    harness_built("02-protected-mode/hidden.bin"));

    /* In ring 0 it says 0 and 0x9c. */
    ck_assert_str_eq(ran.out, "The interrupt flag is 1; the byte of data is 0xcc.\n");
    program_free(&ran);
}
END_TEST

START_TEST(the_scan_lists_what_it_finds)
{
    struct program ran = before_vtx("scan", NULL, NULL);

    ck_assert_int_eq(ran.status, 0);
    ck_assert_ptr_nonnull(strstr(ran.out, "  silent  popf\n"));
    ck_assert_ptr_nonnull(strstr(ran.out, "  traps   lgdt\n"));
    program_free(&ran);
}
END_TEST

/* Runs code and gives its end; its output is thrown away. */
static struct deprive_report run(const char *code, size_t size, bool patch)
{
    struct deprive_report report;

    ck_assert_int_eq(deprive_run((const uint8_t *)code, size, patch, 2, STDERR_FILENO, &report), 0);
    return report;
}

START_TEST(every_end_has_a_name)
{
    struct deprive_report report = run("\x90\xfa\xf4", 3, false); /* nop; cli; hlt */

    ck_assert_int_eq(report.end, DEPRIVE_HALTED);
    ck_assert_uint_eq(report.trapped, 2);
    ck_assert_uint_eq(report.offset, 2);

    report = run("\x90\x31\xc0\x88\x00", 5, false); /* xor eax, eax; mov [rax], al */
    ck_assert_int_eq(report.end, DEPRIVE_CRASHED);
    ck_assert_uint_eq(report.offset, 3);

    report = run("\xcc", 1, true); /* an int3 of its own */
    ck_assert_int_eq(report.end, DEPRIVE_CRASHED);

    report = run("\x0f\x30", 2, false); /* wrmsr */
    ck_assert_int_eq(report.end, DEPRIVE_UNKNOWN);
    ck_assert_str_eq(report.name, "wrmsr");

    report = run("\xc3", 1, false); /* ret, to where the stack says: nowhere */
    ck_assert_int_eq(report.end, DEPRIVE_CRASHED);
}
END_TEST

START_TEST(a_payload_cannot_reach_the_host_kernel)
{
    /* mov eax, 57 (fork); syscall; hlt */
    struct deprive_report report = run("\xb8\x39\x00\x00\x00\x0f\x05\xf4", 8, false);

    ck_assert_int_eq(report.end, DEPRIVE_KILLED);
    ck_assert_int_eq(report.signal, SIGKILL);
    report = run("\xb8\x39\x00\x00\x00\x0f\x05\xf4", 8, true); /* patched: we see it first */
    ck_assert_int_eq(report.end, DEPRIVE_UNKNOWN);
    ck_assert_str_eq(report.name, "syscall");
}
END_TEST

START_TEST(a_payload_that_never_ends_is_killed)
{
    struct deprive_report report = run("\xeb\xfe", 2, false); /* jmp $ */

    ck_assert_int_eq(report.end, DEPRIVE_KILLED);
}
END_TEST

START_TEST(operands_outside_its_memory_are_not_touched)
{
    /* mov rsp, 0x1000; pushf patched to trap; hlt */
    struct deprive_report report = run("\x48\xc7\xc4\x00\x10\x00\x00\x9c\xf4", 9, true);

    ck_assert_int_eq(report.end, DEPRIVE_UNKNOWN);
    ck_assert_str_eq(report.name, "pushf");
    /* xor eax, eax; lgdt [rax]; hlt */
    report = run("\x31\xc0\x0f\x01\x10\xf4", 6, false);
    ck_assert_int_eq(report.end, DEPRIVE_UNKNOWN);
    ck_assert_str_eq(report.name, "lgdt");
}
END_TEST

START_TEST(large_payloads_are_refused)
{
    static uint8_t code[DEPRIVE_MAX + 1] = {0xf4};
    struct deprive_report report;

    ck_assert_int_eq(deprive_run(code, sizeof code, false, 2, 2, &report), -EFBIG);
    ck_assert_int_eq(deprive_run(code, DEPRIVE_MAX, false, 2, 2, &report), 0);
    ck_assert_int_eq(report.end, DEPRIVE_HALTED);
}
END_TEST

/* Noise for payloads: whatever it does, a report comes back. */
START_TEST(noise_always_ends_in_a_report)
{
    srandom(5);
    for (unsigned round = 0; round < 60; round++) {
        uint8_t noise[512];
        struct deprive_report report;

        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)(random() >> 5);
        ck_assert_int_eq(deprive_run(noise, sizeof noise, round % 2, 1, STDERR_FILENO, &report), 0);
    }
}
END_TEST

/* One instruction on a pretended processor, on memory from address 0x10000. */
static uint8_t memory[4096];

static bool play(struct pretended *cpu, struct pretended_regs *regs, const char *code, size_t size)
{
    struct insn insn;

    ck_assert(insn_decode((const uint8_t *)code, size, &insn));
    cpu->memory = memory;
    cpu->start = 0x10000;
    cpu->size = sizeof memory;
    return pretended_play(cpu, regs, &insn);
}

START_TEST(emulated_instructions_do_what_the_manual_says)
{
    struct pretended cpu = {0};
    struct pretended_regs regs = {.rip = 0x10000, .rflags = 0x246};

    pretended_reset(&cpu);
    ck_assert(play(&cpu, &regs, "\xfb", 1)); /* sti */
    ck_assert(cpu.interrupts);
    ck_assert_uint_eq(regs.rip, 0x10001);

    regs.gpr[4] = 0x10100; /* pushf shows the pretended flag, not the real one */
    cpu.interrupts = false;
    ck_assert(play(&cpu, &regs, "\x9c", 1));
    ck_assert_uint_eq(regs.gpr[4], 0x100f8);
    ck_assert_uint_eq(memory[0xf9], 0);
    memory[0xf8] = 0x03; /* popf: CF into the real flags, IF into the pretended ones only */
    memory[0xf9] = 0x03; /* IF and TF */
    ck_assert(play(&cpu, &regs, "\x9d", 1));
    ck_assert(cpu.interrupts);
    ck_assert_uint_eq(regs.rflags & 0x301, 0x201); /* the real IF stays, TF is not let in */
    ck_assert_uint_eq(regs.gpr[4], 0x10100);

    regs.gpr[0] = UINT64_MAX;
    ck_assert(play(&cpu, &regs, "\x0f\x20\xc0", 3)); /* mov rax, cr0 */
    ck_assert_uint_eq(regs.gpr[0], CR0_PG | CR0_ET | CR0_PE);
    regs.gpr[0] = UINT64_MAX;
    ck_assert(play(&cpu, &regs, "\x66\x0f\x01\xe0", 4)); /* smsw ax: 16 bits */
    ck_assert_uint_eq(regs.gpr[0], 0xffffffffffff0011);
    ck_assert(play(&cpu, &regs, "\x8c\xc8", 2)); /* mov eax, cs */
    ck_assert_uint_eq(regs.gpr[0], 0x18);
    regs.gpr[11] = 0x20000;
    ck_assert(play(&cpu, &regs, "\x41\x0f\x22\xdb", 4)); /* mov cr3, r11 */
    ck_assert_uint_eq(cpu.cr3, 0x20000);

    regs.gpr[12] = 0x10000 + 4096 - 18; /* sgdt [r12 + 8]: the last ten bytes ... */
    cpu.gdt.base = 0x1122334455667788;
    cpu.gdt.limit = 0xabcd;
    ck_assert(play(&cpu, &regs, "\x41\x0f\x01\x44\x24\x08", 6));
    ck_assert_uint_eq(memory[4086], 0xcd);
    ck_assert_uint_eq(memory[4095], 0x11);
    regs.gpr[12]++; /* ... and one byte too far */
    ck_assert(!play(&cpu, &regs, "\x41\x0f\x01\x44\x24\x08", 6));
    ck_assert(!play(&cpu, &regs, "\x0f\x20\xc8", 3)); /* mov rax, cr1: there is none */
}
END_TEST

START_TEST(trials_trap_where_the_manual_says)
{
    static const char *const trapping[] = {"cli", "hlt", "lgdt", "mov cr3, rax", "wrmsr"};
    unsigned count;
    const struct trial *all = trials(&count);

    for (unsigned i = 0; i < count; i++) {
        struct trial_result result = trial_run(&all[i]);

        for (unsigned j = 0; j < ARRAY_SIZE(trapping); j++)
            if (strcmp(all[i].name, trapping[j]) == 0)
                ck_assert_msg(result.signal == SIGSEGV, "%s: signal %d", all[i].name,
                              result.signal);
        if (strcmp(all[i].name, "popf") == 0) {
            ck_assert_int_eq(result.signal, 0);
            ck_assert_uint_eq(result.got, 1); /* the flag is still set */
        }
    }
    ck_assert_ptr_nonnull(strstr(umip_words(umip_state()), "UMIP"));
}
END_TEST

START_TEST(the_median_is_the_middle)
{
    double values[] = {9, 1, 1000000};

    ck_assert_double_eq(cost_median(values, 3), 9);
    ck_assert_double_eq(cost_median(values, 1), 1);
}
END_TEST

START_TEST(bad_arguments_are_refused_by_name)
{
    static const struct {
        const char *argument[3];
        const char *says;
    } rows[] = {
        {{"fly", NULL, NULL}, "no command \"fly\""},
        {{"run", "a", "b"}, "\"b\" follows \"a\""},
        {{"run", "/no/such/file", NULL}, "payload /no/such/file: cannot open: No such file"},
        {{"scan", "/dev/zero", NULL}, "payload /dev/zero: not a regular file"},
        {{"--frobnicate", NULL, NULL}, "frobnicate"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct program ran = before_vtx(rows[i].argument[0], rows[i].argument[1],
                                        rows[i].argument[2]);

        ck_assert_int_eq(ran.status, 1);
        ck_assert_msg(strstr(ran.err, rows[i].says), "\"%s\"", ran.err);
        program_free(&ran);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trap and emulate in a process");
    TCase *tests = tcase_create("deprive");

    tcase_set_timeout(tests, 90);
    tcase_add_test(tests, patched_it_says_what_it_says_in_ring_0);
    tcase_add_test(tests, unpatched_it_is_told_lies);
    tcase_add_test(tests, the_sweep_is_fooled_as_the_text_says);
    tcase_add_test(tests, the_scan_lists_what_it_finds);
    tcase_add_test(tests, every_end_has_a_name);
    tcase_add_test(tests, a_payload_cannot_reach_the_host_kernel);
    tcase_add_test(tests, a_payload_that_never_ends_is_killed);
    tcase_add_test(tests, operands_outside_its_memory_are_not_touched);
    tcase_add_test(tests, large_payloads_are_refused);
    tcase_add_test(tests, noise_always_ends_in_a_report);
    tcase_add_test(tests, emulated_instructions_do_what_the_manual_says);
    tcase_add_test(tests, trials_trap_where_the_manual_says);
    tcase_add_test(tests, the_median_is_the_middle);
    tcase_add_test(tests, bad_arguments_are_refused_by_name);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
