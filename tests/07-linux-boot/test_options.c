/*
 * test_options.c: the command line, row by row.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/ending.h"
#include "07-linux-boot/option_table.h"
#include "07-linux-boot/options.h"
#include "common/bits.h"
#include "harness/harness.h"

#define ARGS_MAX 16

struct parsed {
    int result;
    struct options options;
    struct refusal why;
};

/* Parses "vmm" and the words of line, which are separated by single blanks. */
static struct parsed parse(const char *line)
{
    static char words[256];
    char *argv[ARGS_MAX + 1] = {"vmm"};
    struct parsed parsed = {.result = 0};
    int argc = 1;

    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        ck_assert_int_lt(argc, ARGS_MAX);
        argv[argc++] = word;
    }
    parsed.result = options_parse(&parsed.options, argc, argv, &parsed.why);
    return parsed;
}

START_TEST(a_kernel_is_enough)
{
    struct parsed p = parse("-kernel vmlinuz");

    ck_assert_int_eq(p.result, 0);
    ck_assert_str_eq(p.options.kernel, "vmlinuz");
    ck_assert_ptr_null(p.options.initrd);
    ck_assert_str_eq(p.options.cmdline, DEFAULT_CMDLINE);
    ck_assert_uint_eq(p.options.ram, 512 * MIB);
    ck_assert_uint_eq(topology_count(&p.options.topology), 1);
    ck_assert(!p.options.no_reboot);
}
END_TEST

START_TEST(every_option_arrives_with_one_dash_or_two)
{
    struct parsed p = parse("--initrd i --append quiet -no-reboot -nographic -kernel -k");

    ck_assert_int_eq(p.result, 0);
    ck_assert_str_eq(p.options.kernel, "-k"); /* a value may begin with a dash */
    ck_assert_str_eq(p.options.initrd, "i");
    ck_assert_str_eq(p.options.cmdline, "quiet");
    ck_assert(p.options.no_reboot);
}
END_TEST

START_TEST(of_two_equal_options_the_last_counts)
{
    ck_assert_str_eq(parse("-kernel a -kernel b").options.kernel, "b");
}
END_TEST

START_TEST(memory_sizes_have_units)
{
    static const struct {
        const char *text;
        uint64_t ram;
    } rows[] = {
        {"512", 512 * MIB},  {"2", 2 * MIB},  {"4096K", 4 * MIB}, {"3000k", 2 * MIB},
        {"700M", 700 * MIB}, {"3g", 3 * GIB}, {"1T", 1024 * GIB}, {"0512", 512 * MIB},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        char line[64];
        struct parsed p;

        snprintf(line, sizeof line, "-kernel k -m %s", rows[i].text);
        p = parse(line);
        ck_assert_msg(p.result == 0, "%s: %s", rows[i].text, p.why.text);
        ck_assert_msg(p.options.ram == rows[i].ram, "%s", rows[i].text);
    }
}
END_TEST

START_TEST(cards_add_up_and_keep_their_order)
{
    struct parsed p = parse("-kernel k -drive a -nic n -drive b -device d");

    ck_assert_int_eq(p.result, 0);
    ck_assert_uint_eq(p.options.drives.count, 2);
    ck_assert_str_eq(p.options.drives.values[0], "a");
    ck_assert_str_eq(p.options.drives.values[1], "b");
    ck_assert_uint_eq(p.options.nics.count, 1);
    ck_assert_str_eq(p.options.nics.values[0], "n");
    ck_assert_uint_eq(p.options.devices.count, 1);
    ck_assert_str_eq(p.options.devices.values[0], "d");
}
END_TEST

START_TEST(there_is_a_limit_to_drives)
{
    char *argv[3 + 2 * (OPTIONS_LIST_MAX + 1)] = {"vmm", "-kernel", "k"};
    struct options options;
    struct refusal why;
    int argc = 3;

    for (unsigned i = 0; i < OPTIONS_LIST_MAX; i++) {
        argv[argc++] = "-drive";
        argv[argc++] = "disk";
    }
    ck_assert_int_eq(options_parse(&options, argc, argv, &why), 0);
    argv[argc++] = "-drive";
    argv[argc++] = "more";
    ck_assert_int_eq(options_parse(&options, argc, argv, &why), -EINVAL);
    ck_assert_str_eq(why.text, "-drive more: 32 at most");
}
END_TEST

START_TEST(the_machine_is_a_pc_or_lean)
{
    ck_assert_int_eq(parse("-kernel k").options.machine, MACHINE_PC);
    ck_assert_int_eq(parse("-kernel k -M microvm").options.machine, MACHINE_LEAN);
    ck_assert_int_eq(parse("-kernel k -machine microvm -M pc").options.machine, MACHINE_PC);
}
END_TEST

START_TEST(processors_have_a_topology)
{
    struct parsed p = parse("-kernel k -smp 8,sockets=2,threads=2");

    ck_assert_int_eq(p.result, 0);
    ck_assert_uint_eq(p.options.topology.sockets, 2);
    ck_assert_uint_eq(p.options.topology.cores, 2);
    ck_assert_uint_eq(p.options.topology.threads, 2);
}
END_TEST

START_TEST(senseless_sizes_are_refused_by_name)
{
    static const char *const sizes[] = {"0",
                                        "1",
                                        "-1",
                                        "+5",
                                        "M",
                                        "12X",
                                        "12MM",
                                        "1e3",
                                        "0x10",
                                        "1025G",
                                        "2T",
                                        "512.5",
                                        "18446744073709551616",
                                        "17592186044417M"};

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        char line[64];
        struct parsed p;

        snprintf(line, sizeof line, "-kernel k -m %s", sizes[i]);
        p = parse(line);
        ck_assert_msg(p.result == -EINVAL, "%s was accepted", sizes[i]);
        snprintf(line, sizeof line, "-m %s: ", sizes[i]);
        ck_assert_ptr_eq(strstr(p.why.text, line), p.why.text);
    }
}
END_TEST

START_TEST(what_we_lack_is_refused_by_name)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"-kernel k -smp 2,dies=2", "-smp 2,dies=2: \"dies=2\" is unknown"},
        {"-kernel k -smp", "-smp needs a value: -smp N"},
        {"-kernel k -M q35", "-M q35: not one of pc and microvm"},
        {"-kernel k -snapsht", "unknown option -snapsht: did you mean -snapshot?"},
        {"-kernle k", "unknown option -kernle: did you mean -kernel?"},
        {"--initd k", "unknown option --initd: did you mean -initrd?"},
        {"-apend k", "did you mean -append?"},
        {"-noreboot", "did you mean -no-reboot?"},
        {"-display gtk", "no option -display here: a screen is there with -vnc"},
        {"-", "unknown option -:"},
        {"--", "unknown option --:"},
        {"vmlinuz", "\"vmlinuz\" is no option: a kernel is given as -kernel FILE"},
        {"-kernel", "-kernel needs a value: -kernel FILE"},
        {"-kernel k -m", "-m needs a value: -m SIZE"},
        {"-m 64", "no kernel: give one with -kernel FILE"},
        {"", "no kernel"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct parsed p = parse(rows[i].line);

        ck_assert_msg(p.result == -EINVAL, "\"%s\" was accepted", rows[i].line);
        ck_assert_msg(strstr(p.why.text, rows[i].says), "\"%s\" gave \"%s\"", rows[i].line,
                      p.why.text);
    }
}
END_TEST

START_TEST(long_nonsense_is_refused_too)
{
    static char word[100000];
    char *argv[] = {"vmm", word, NULL};
    struct options options;
    struct refusal why;

    memset(word, 'k', sizeof word - 1);
    ck_assert_int_eq(options_parse(&options, 2, argv, &why), -EINVAL);
    word[0] = '-';
    ck_assert_int_eq(options_parse(&options, 2, argv, &why), -EINVAL);
    ck_assert_uint_lt(strlen(why.text), 200);
}
END_TEST

START_TEST(help_needs_no_kernel)
{
    static const char *const lines[] = {
        "-h",           "-help",         "--help",
        "-version",     "-cpu help",     "-device help",
        "-netdev help", "-chardev help", "-device virtio-blk-pci,help"};

    for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
        struct parsed p = parse(lines[i]);

        ck_assert_msg(p.result == 0, "%s: %s", lines[i], p.why.text);
        ck_assert(p.options.question);
        ck_assert(p.options.help == (i < 3));
    }
}
END_TEST

START_TEST(help_lists_options_keys_and_statuses)
{
    static const char *const words[] = {
        "-kernel FILE", "-drive DISK",   "-nic NETWORK", "-device DEVICE",
        "-initrd FILE", "-append TEXT",  "-m SIZE",      "-smp N",
        "-no-reboot",   DEFAULT_CMDLINE, "Ctrl-A x",     "  0  ",
        "  1  ",        "  3  ",         "  4  ",        "  5  "};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    options_print_help(out);
    fclose(out);
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        ck_assert_msg(strstr(text, words[i]), "no \"%s\"", words[i]);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 80, "too wide: %s", line);
    free(text);
}
END_TEST

START_TEST(each_ending_has_its_status)
{
    static const struct {
        enum ending ending;
        int status;
    } rows[] = {
        {ENDING_OFF, 0}, {ENDING_QUIT, 0}, {ENDING_RESET, 3}, {ENDING_CRASH, 4}, {ENDING_STUCK, 5}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        ck_assert_int_eq((int)ending_status(rows[i].ending), rows[i].status);
}
END_TEST

static Suite *options_suite(void)
{
    Suite *suite = suite_create("07 options");
    TCase *tests = tcase_create("options");

    tcase_add_test(tests, a_kernel_is_enough);
    tcase_add_test(tests, every_option_arrives_with_one_dash_or_two);
    tcase_add_test(tests, of_two_equal_options_the_last_counts);
    tcase_add_test(tests, memory_sizes_have_units);
    tcase_add_test(tests, cards_add_up_and_keep_their_order);
    tcase_add_test(tests, there_is_a_limit_to_drives);
    tcase_add_test(tests, the_machine_is_a_pc_or_lean);
    tcase_add_test(tests, processors_have_a_topology);
    tcase_add_test(tests, senseless_sizes_are_refused_by_name);
    tcase_add_test(tests, what_we_lack_is_refused_by_name);
    tcase_add_test(tests, long_nonsense_is_refused_too);
    tcase_add_test(tests, help_needs_no_kernel);
    tcase_add_test(tests, help_lists_options_keys_and_statuses);
    tcase_add_test(tests, each_ending_has_its_status);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(options_suite());
}
