/*
 * test_papers.c: the table of options, the help text, the manual page and the shell's
 * completion say the same. Run from the top of the tree, as tests/run does.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/option_table.h"
#include "common/bits.h"
#include "harness/harness.h"

#define PAPERS "chapters/07-linux-boot/man/"

static char *contents(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    ck_assert_msg(file != NULL, "cannot open %s", path);
    ck_assert_int_gt(getdelim(&text, &size, '\0', file), 0);
    fclose(file);
    return text;
}

/* Is word there, with neither a letter nor a dash next to it? */
static bool has_word(const char *text, const char *word)
{
    static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    size_t length = strlen(word);

    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || !strchr(more, at[-1])) && (!at[length] || !strchr(more, at[length])))
            return true;
    return false;
}

/* "-no-reboot" as roff wants dashes: "\-no\-reboot" */
static void in_roff(char to[80], const char *name)
{
    char *at = to;

    at += sprintf(at, "\\-");
    for (; *name; name++)
        at += sprintf(at, *name == '-' ? "\\-" : "%c", *name);
}

START_TEST(every_option_is_in_the_manual_page)
{
    char *page = contents(PAPERS "vmm.1");

    for (const struct option_row *row = option_table; row->name; row++) {
        char name[80];

        in_roff(name, row->name);
        ck_assert_msg(has_word(page, name), "%s is not in vmm.1", row->name);
    }
    free(page);
}
END_TEST

START_TEST(every_option_is_completed_and_no_other)
{
    char *script = contents(PAPERS "completion.bash");
    char *list = strstr(script, "local options='"), *end, *save;
    unsigned listed = 0, known = 0;

    ck_assert_ptr_nonnull(list);
    list += strlen("local options='");
    end = strchr(list, '\'');
    *end = '\0';
    for (const struct option_row *row = option_table; row->name; row++) {
        char name[80];

        snprintf(name, sizeof name, "-%s", row->name);
        ck_assert_msg(has_word(list, name), "%s is not completed", name);
        known++;
    }
    for (char *word = strtok_r(list, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
        listed++;
    ck_assert_uint_eq(listed, known);
    free(script);
}
END_TEST

START_TEST(every_option_is_in_the_help_text)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    options_print_help(out);
    fclose(out);
    for (const struct option_row *row = option_table; row->name; row++) {
        char name[80];

        snprintf(name, sizeof name, "\n  -%s ", row->name);
        ck_assert_msg(!row->text || strstr(text, name), "-%s is not in the help", row->name);
    }
    free(text);
}
END_TEST

START_TEST(every_command_of_vmm_img_is_in_its_papers)
{
    static const char *const commands[] = {"create",  "info",   "check", "convert",
                                           "compare", "commit", "resize"};
    const char *argv[] = {harness_built("vmm-img"), "--help", NULL};
    struct program help = program_run(argv, NULL, 10);
    char *page = contents(PAPERS "vmm-img.1");
    char *script = contents(PAPERS "completion.bash");
    unsigned lines = 0;

    for (const char *at = help.out; (at = strstr(at, "vmm-img ")); at++)
        lines++;
    ck_assert_uint_eq(lines, ARRAY_SIZE(commands));
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        ck_assert_msg(has_word(help.out, commands[i]), "%s", commands[i]);
        ck_assert_msg(has_word(page, commands[i]), "%s is not in vmm-img.1", commands[i]);
        ck_assert_msg(has_word(script, commands[i]), "%s is not completed", commands[i]);
    }
    program_free(&help);
    free(page);
    free(script);
}
END_TEST

/* As bash does: the words typed so far, and which of them is to be completed. */
static void expect_completed(const char *line, const char *word)
{
    char script[400];
    const char *argv[] = {"bash", "-c", script, NULL};
    struct program ran;

    snprintf(script, sizeof script,
             ". " PAPERS "completion.bash; COMP_WORDS=(%s); "
             "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _vmm; printf '%%s\\n' \"${COMPREPLY[@]}\"",
             line);
    ran = program_run(argv, NULL, 20);
    ck_assert_msg(has_word(ran.out, word), "%s: no %s in %s%s", line, word, ran.out, ran.err);
    program_free(&ran);
}

START_TEST(the_shell_completes_options_and_asks_the_vmm_for_kinds)
{
    char line[300];

    expect_completed("vmm -ker", "-kernel");
    expect_completed("vmm -M mi", "microvm");
    expect_completed("vmm -kernel chapters/07-linux-boot/ma", "chapters/07-linux-boot/main.c");
    snprintf(line, sizeof line, "%s -device virtio-b", harness_built("vmm"));
    expect_completed(line, "virtio-blk-pci");
    snprintf(line, sizeof line, "%s --chardev so", harness_built("vmm"));
    expect_completed(line, "socket");
}
END_TEST

START_TEST(installation_puts_everything_where_it_is_looked_for)
{
    static const char *const files[] = {"bin/vmm",
                                        "bin/vmm-img",
                                        "share/man/man1/vmm.1",
                                        "share/man/man1/vmm-img.1",
                                        "share/bash-completion/completions/vmm",
                                        "share/bash-completion/completions/vmm-img"};
    char folder[] = "/tmp/test_papers.XXXXXX", destination[60];
    char absolute[PATH_MAX], build[PATH_MAX + 10];
    const char *argv[] = {
        "make", "-C", "chapters/07-linux-boot", "-o", "all", "install", "PREFIX=/usr", destination,
        build,  NULL};
    const char *clean[] = {"rm", "-r", folder, NULL};
    struct program ran;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(destination, sizeof destination, "DESTDIR=%s", folder);
    ck_assert_ptr_nonnull(realpath(harness_built("."), absolute));
    snprintf(build, sizeof build, "BUILD=%s", absolute);
    ran = program_run(argv, NULL, 60);
    ck_assert_msg(ran.status == 0, "%s%s", ran.out, ran.err);
    program_free(&ran);
    for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
        char path[200];

        snprintf(path, sizeof path, "%s/usr/%s", folder, files[i]);
        ck_assert_msg(access(path, R_OK) == 0, "no %s", path);
    }
    ran = program_run(clean, NULL, 20);
    program_free(&ran);
}
END_TEST

static Suite *papers_suite(void)
{
    Suite *suite = suite_create("07 papers");
    TCase *tests = tcase_create("papers");

    tcase_add_test(tests, every_option_is_in_the_manual_page);
    tcase_add_test(tests, every_option_is_completed_and_no_other);
    tcase_add_test(tests, every_option_is_in_the_help_text);
    tcase_add_test(tests, every_command_of_vmm_img_is_in_its_papers);
    tcase_add_test(tests, the_shell_completes_options_and_asks_the_vmm_for_kinds);
    tcase_add_test(tests, installation_puts_everything_where_it_is_looked_for);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(papers_suite());
}
