/* Chapter 2's guests, and the two programs that run them, on KVM. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/harness.h"

#define SECTION "book/02-protected-mode.md"

/* GUEST(test name, program, guest, section): the guest keeps its "; expect:" lines. */
#define GUEST(name, program, guest, section)                                                       \
    START_TEST(name)                                                                               \
    {                                                                                              \
        e2e_guest(program, "02-protected-mode/" guest, SECTION ", \"" section "\"");               \
    }                                                                                              \
    END_TEST

GUEST(a20_is_open, "modes", "real", "Real mode, and a gate that is not there")
GUEST(the_guest_climbs_to_protected_mode, "modes", "protected", "One bit, and then a jump")
GUEST(the_guest_climbs_to_long_mode, "modes", "long", "Four more bits")
GUEST(the_vmm_enters_protected_mode, "modes", "flat32", "The other door")
GUEST(the_vmm_enters_long_mode, "modes", "flat64", "The other door")
GUEST(ring_3_is_stopped_and_survives, "rings", "privilege", "What ring 3 may not do")
GUEST(ring_3_calls_its_kernel_by_two_doors, "rings", "syscalls", "Two doors to ring 0")
GUEST(popf_in_ring_3_is_silent, "rings", "popf", "The instruction that says nothing")
GUEST(a_guest_finds_and_calls_its_hypervisor, "rings", "hypercalls", "A guest that knows")
GUEST(every_cpuid_leaf_is_harmless, "rings", "leaves", "A guest that knows")
GUEST(impossible_states_are_refused_by_gp, "rings", "refused", "What even ring 0 is refused")
GUEST(there_is_no_second_floor, "rings", "nested", "A guest that knows")
GUEST(in_ring_0_the_deprived_kernel_is_right, "modes", "deprived", "The same kernel, three times")
GUEST(in_ring_0_the_hidden_pushf_is_right, "modes", "hidden", "What a sweep cannot know")
GUEST(an_empty_idt_is_named, "rings", "lostidt", "Break it")
GUEST(a_wiped_gdt_is_named, "rings", "lostgdt", "Break it")
GUEST(a_lost_stack_is_named, "rings", "loststack", "Break it")

static void expect_run(const char *const argv[], int status, const char *out, const char *err,
                       const char *cause)
{
    e2e_run(argv, status, out, err, cause, SECTION);
}

START_TEST(watching_shows_each_stair_once)
{
    const char *argv[] = {harness_built("modes"), "--watch", "--mode", "long", NULL};

    expect_run(argv, 0, "64 bits",
               "real     ring 0  0000:00001000  cr0=CD,NW,ET  cr4=0  efer=0\n"
               "prot16   ring 0  0000:00001010  cr0=CD,NW,ET,PE  cr4=0  efer=0\n"
               "prot32   ring 0  0008:00001018  cr0=CD,NW,ET,PE  cr4=0  efer=0\n"
               "prot32   ring 0  0008:0000104e  cr0=CD,NW,ET,PE  cr4=PAE  efer=0\n"
               "prot32   ring 0  0008:00001064  cr0=CD,NW,ET,PE  cr4=PAE  efer=LME\n"
               "compat32 ring 0  0008:0000106f  cr0=PG,CD,NW,ET,PE  cr4=PAE  efer=LMA,LME\n"
               "long64   ring 0  0018:00001076  cr0=PG,CD,NW,ET,PE  cr4=PAE  efer=LMA,LME\n",
               "a step is lost, or a mode is read off the wrong bit");
}
END_TEST

START_TEST(watching_shows_the_way_to_ring_3_and_back)
{
    const char *argv[] = {harness_built("rings"), "--watch",
                          harness_built("02-protected-mode/syscalls.bin"), NULL};

    expect_run(argv, 0, "By syscall", "long64   ring 3  002b:00002000", "IRET is not seen");
    expect_run(argv, 0, "By syscall",
               "efer=LMA,LME,SCE\nlong64   ring 0  0008:", "the way back is not seen");
}
END_TEST

START_TEST(stepping_shows_each_instruction)
{
    const char *argv[] = {
        harness_built("modes"), "--step", "--mode", "long", "--entry", "vmm", NULL};

    expect_run(argv, 0, "Long mode",
               "0018:00001000  cr0=PG,ET,PE  cr4=PAE  efer=LMA,LME\n"
               "long64   ring 0  0018:00001007",
               "the first step is lost");
}
END_TEST

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* The state that --dump gives, with the first "from" in it made "to". */
static char *edited_dump(const char *mode, const char *from, const char *to)
{
    const char *argv[] = {
        harness_built("modes"), "--mode", mode, "--entry", "vmm", "--dump", "-", NULL};
    struct program ran = program_run(argv, NULL, 20);
    char *text = calloc(1, ran.out_size + 1024), *at = strstr(ran.out, from);

    ck_assert_int_eq(ran.status, 0);
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(at, "no \"%s\" in the dump:\n%s", from, ran.out);
    sprintf(text, "%.*s%s%s", (int)(at - ran.out), ran.out, to, at + strlen(from));
    program_free(&ran);
    return text;
}

START_TEST(a_dump_starts_where_it_was_taken)
{
    char path[] = "/tmp/ring-state-XXXXXX";
    const char *check[] = {harness_built("modes"), "--check", path, NULL};
    const char *start[] = {harness_built("modes"), "--start", path,
                           harness_built("02-protected-mode/flat64.bin"), NULL};
    char *text = edited_dump("long", "rip=0x1000", "rip=0x1000 # same");
    int fd = mkstemp(path);

    write_file(path, text);
    expect_run(check, 0, "idt-empty (enters, but wait for it)", "", "a good state is refused");
    expect_run(start, 0, "Long mode, and we never saw the stairs.\n", "",
               "a register is not reloaded");
    free(text);
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(an_impossible_state_is_refused_in_words)
{
    static const struct {
        const char *mode, *from, *to, *says;
    } rows[] = {
        {"long", "cr0=0x80000011", "cr0=0x80000010",
         "cr0-pg-needs-pe (refused): CR0 is 0x80000010"},
        {"long", "cr4=0x20", "cr4=0x0", "long-needs-pae (refused)"},
        {"long", "efer=0x500", "efer=0x100", "lma-matches (refused): LMA is 0, LME is 1"},
        {"protected", "l=0 g=1", "l=1 g=1", "cs-l-needs-long (refused)"},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[] = "/tmp/ring-state-XXXXXX";
        const char *check[] = {harness_built("modes"), "--check", path, NULL};
        const char *start[] = {harness_built("modes"),
                               "--start",
                               path,
                               "--limit",
                               "10",
                               harness_built("02-protected-mode/flat64.bin"),
                               NULL};
        char *text = edited_dump(rows[i].mode, rows[i].from, rows[i].to);
        int fd = mkstemp(path);

        write_file(path, text);
        expect_run(check, 6, rows[i].says, "", "--check misses a rule");
        expect_run(start, 6, "", rows[i].says, "a refusal is not explained");
        free(text);
        close(fd);
        unlink(path);
    }
}
END_TEST

/* Starts the state of mode with an edit, on a payload that it fits. */
static struct program start_edited(const char *mode, const char *from, const char *to)
{
    char path[] = "/tmp/ring-state-XXXXXX";
    const char *start[] = {harness_built("modes"),
                           "--start",
                           path,
                           "--limit",
                           "10",
                           harness_built("02-protected-mode/flat64.bin"),
                           NULL};
    char *text = edited_dump(mode, from, to);
    int fd = mkstemp(path);
    struct program ran;

    write_file(path, text);
    ran = program_run(start, NULL, 20);
    free(text);
    close(fd);
    unlink(path);
    return ran;
}

/* KVM_SET_SREGS lets L = D = 1 pass; VM entry does not. */
START_TEST(a_failed_entry_is_explained)
{
    struct program ran = start_edited("long", "db=0 s=1 l=1", "db=1 s=1 l=1");

    ck_assert_int_eq(ran.status, 6);
    ck_assert_ptr_nonnull(strstr(ran.err, "KVM_EXIT_FAIL_ENTRY"));
    ck_assert_ptr_nonnull(strstr(ran.err, "cs-l-and-d (refused): CS.L is 1, CS.D is 1\n"));
    program_free(&ran);
}
END_TEST

/* Intel refuses a RIP that is not canonical; AMD enters, and the guest crashes. */
START_TEST(a_start_that_crashes_is_explained_too)
{
    struct program ran = start_edited("long", "rip=0x1000", "rip=0x800000001000");

    ck_assert_msg(ran.status == 3 || ran.status == 4 || ran.status == 6, "status %d: %s",
                  ran.status, ran.err);
    ck_assert_ptr_nonnull(strstr(ran.err, "rip-canonical (refused): RIP is 0x800000001000\n"));
    program_free(&ran);
}
END_TEST

START_TEST(bad_arguments_are_refused_by_name)
{
    static const struct {
        const char *program, *argument[2];
        const char *says;
    } rows[] = {
        {"modes", {"--mode", "unreal"}, "--mode unreal: not one of those"},
        {"modes", {"--entry", "window"}, "--entry window: not one of those"},
        {"modes", {"--limit", "soon"}, "--limit soon: not a number of seconds"},
        {"modes", {"--check", "/no/such/file"}, "/no/such/file: cannot open: No such file"},
        {"modes", {"--check", "/dev/zero"}, "/dev/zero: not a regular file"},
        {"modes", {"--dump", "/no/such/folder/x"}, "--dump /no/such/folder/x: No such file"},
        {"modes", {"--frobnicate", NULL}, "frobnicate"},
        {"rings", {"a.bin", "b.bin"}, "\"b.bin\" follows \"a.bin\""},
        {"rings", {"/no/such/file", NULL}, "payload /no/such/file: cannot open: No such file"},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *argv[] = {harness_built(rows[i].program), rows[i].argument[0],
                              rows[i].argument[1], NULL};

        expect_run(argv, 1, "", rows[i].says, "an option parsed too kindly");
    }
}
END_TEST

START_TEST(ctrl_c_ends_a_stepping_guest)
{
    const char *argv[] = {harness_built("modes"),
                          "--watch",
                          "--mode",
                          "real",
                          harness_built("01-kvm-hello/spin.bin"),
                          NULL};
    struct terminal terminal;

    terminal_start(&terminal, argv);
    terminal_expect(&terminal, "real     ring 0", 10);
    terminal_type(&terminal, "\x03");
    terminal_expect(&terminal, "stopped by Ctrl-C at rip=0x1000", 10);
    ck_assert_int_eq(terminal_wait(&terminal, 10), 5);
    terminal_free(&terminal);
}
END_TEST

/* A KVM without vmx or svm beneath it emulates, and leaves out what these need. */
static const char *no_hardware(const char *no_kvm)
{
    if (no_kvm)
        return no_kvm;
    if (system("grep -qwE 'vmx|svm' /proc/cpuinfo") == 0)
        return NULL;
    return "software KVM (no vmx or svm in /proc/cpuinfo) has no system calls from ring 3, no "
           "vmcall and vmxon, no checks at VM entry, and shows ring 3 the host's flags; they "
           "run in the lab";
}

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    const char *software = no_hardware(no_kvm);
    Suite *suite = suite_create("chapter 2 on KVM");
    TCase *tests = tcase_create("guests");

    tcase_set_timeout(tests, 60);
    harness_add(tests, a20_is_open, no_kvm);
    harness_add(tests, the_guest_climbs_to_protected_mode, no_kvm);
    harness_add(tests, the_guest_climbs_to_long_mode, no_kvm);
    harness_add(tests, the_vmm_enters_protected_mode, no_kvm);
    harness_add(tests, the_vmm_enters_long_mode, no_kvm);
    harness_add(tests, ring_3_is_stopped_and_survives, no_kvm);
    harness_add(tests, ring_3_calls_its_kernel_by_two_doors, software);
    harness_add(tests, popf_in_ring_3_is_silent, software);
    harness_add(tests, a_guest_finds_and_calls_its_hypervisor, no_kvm);
    harness_add(tests, every_cpuid_leaf_is_harmless, no_kvm);
    harness_add(tests, impossible_states_are_refused_by_gp, no_kvm);
    harness_add(tests, there_is_no_second_floor, software);
    harness_add(tests, in_ring_0_the_deprived_kernel_is_right, no_kvm);
    harness_add(tests, in_ring_0_the_hidden_pushf_is_right, no_kvm);
    harness_add(tests, an_empty_idt_is_named, no_kvm);
    harness_add(tests, a_wiped_gdt_is_named, no_kvm);
    harness_add(tests, a_lost_stack_is_named, no_kvm);
    harness_add(tests, watching_shows_each_stair_once, no_kvm);
    harness_add(tests, watching_shows_the_way_to_ring_3_and_back, software);
    harness_add(tests, stepping_shows_each_instruction, no_kvm);
    harness_add(tests, a_dump_starts_where_it_was_taken, no_kvm);
    harness_add(tests, an_impossible_state_is_refused_in_words, no_kvm);
    harness_add(tests, a_failed_entry_is_explained, software);
    harness_add(tests, a_start_that_crashes_is_explained_too, no_kvm);
    harness_add(tests, bad_arguments_are_refused_by_name, no_kvm);
    harness_add(tests, ctrl_c_ends_a_stepping_guest, no_kvm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
