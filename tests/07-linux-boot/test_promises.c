/*
 * test_promises.c: the promises of book/threat-model.md are kept by tests that exist, and its
 * table of exit statuses is the one of the help text.
 */
#define _GNU_SOURCE
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/option_table.h"
#include "common/bits.h"
#include "harness/harness.h"

#define PAGE "book/threat-model.md"

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

/* All suites in one text. */
static char *suites(void)
{
    glob_t found;
    char *all = NULL;
    size_t size;
    FILE *out = open_memstream(&all, &size);

    ck_assert_int_eq(glob("tests/*/*.c", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text = contents(found.gl_pathv[i]);

        fputs(text, out);
        free(text);
    }
    globfree(&found);
    fclose(out);
    return all;
}

static bool is_added(const char *all, const char *test)
{
    char start[200], first[200], last[200];

    snprintf(start, sizeof start, "START_TEST(%s)", test);
    snprintf(first, sizeof first, ", %s,", test);
    snprintf(last, sizeof last, ", %s)", test);
    return strstr(all, start) && (strstr(all, first) || strstr(all, last));
}

/* "| P6 | promise | `test`, `test` |" */
START_TEST(each_promise_has_tests_that_exist)
{
    char *page = contents(PAGE), *all = suites(), *save;
    unsigned promises = 0;

    for (char *line = strtok_r(page, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *tests, *name, *inner;

        if (strncmp(line, "| P", 3) != 0)
            continue;
        promises++;
        tests = strrchr(line, '|');
        *tests = '\0';
        tests = strrchr(line, '|');
        for (name = strtok_r(tests, "`", &inner); (name = strtok_r(NULL, "`", &inner));
             strtok_r(NULL, "`", &inner))
            ck_assert_msg(is_added(all, name) || strncmp(name, "make ", 5) == 0,
                          "%.5s: there is no test \"%s\"", line, name);
        ck_assert_msg(strchr(tests + 1, '\0') > tests + 1, "%.5s has no test", line);
    }
    ck_assert_uint_ge(promises, 15);
    free(page);
    free(all);
}
END_TEST

/* "  4  the guest crashed ..." of the help is "| 4 | the guest crashed ..." of the book. */
START_TEST(each_exit_status_is_in_the_book_and_in_the_manual_page)
{
    char *page = contents(PAGE), *manual = contents("chapters/07-linux-boot/man/vmm.1"), *help;
    size_t size;
    FILE *out = open_memstream(&help, &size);
    unsigned statuses = 0;

    options_print_help(out);
    fclose(out);
    for (char *line = strstr(help, "exit status:"); (line = strchr(line, '\n')); line++) {
        char row[40], paragraph[20];

        if (line[1] != ' ' || line[3] < '0' || line[3] > '9')
            continue;
        statuses++;
        snprintf(row, sizeof row, "\n| %c | %.10s", line[3], line + 6);
        ck_assert_msg(strstr(page, row) != NULL, "no \"%s\" in %s", row + 1, PAGE);
        snprintf(paragraph, sizeof paragraph, "\n.B %c\n", line[3]);
        ck_assert_msg(strstr(manual, paragraph) != NULL, "no status %c in vmm.1", line[3]);
    }
    ck_assert_uint_eq(statuses, 6);
    free(help);
    free(manual);
    free(page);
}
END_TEST

static Suite *promises_suite(void)
{
    Suite *suite = suite_create("07 promises");
    TCase *tests = tcase_create("promises");

    tcase_add_test(tests, each_promise_has_tests_that_exist);
    tcase_add_test(tests, each_exit_status_is_in_the_book_and_in_the_manual_page);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(promises_suite());
}
