/*
 * Programs that check themselves (programs/), compiled for the ARM: as ARM code and as
 * Thumb code, run by the translator and by the interpreter. Where qemu-arm is installed
 * it must agree: a check that fails there too would be a wrong check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/harness.h"

#define SECTION "book/06-tcg.md, \"Linux, from below\""

static const struct {
    const char *name;
    int status;       /* exit status */
    bool qemu_agrees; /* qemu-arm 7.2 lacks some of what the others check */
} programs[] = {
    {"signals", 0, true},  {"threads", 42, false}, {"processes", 0, false}, {"files", 0, false},
    {"sockets", 0, false}, {"memory", 0, false},   {"loops", 0, true},
};

#define PROGRAMS (int)(sizeof programs / sizeof programs[0])

static const char *const sets[] = {"-marm", "-mthumb"};

static bool installed(const char *tool)
{
    char command[128];

    snprintf(command, sizeof command, "command -v %s >/dev/null", tool);
    return system(command) == 0;
}

/* Compiles program n; its path. */
static const char *compiled(int n, const char *set)
{
    static char path[512], source[128];
    const char *argv[] = {"arm-linux-gnueabi-gcc",
                          "-w",
                          "-O2",
                          "-D_FILE_OFFSET_BITS=64",
                          set,
                          "-march=armv5te",
                          "-static",
                          "-pthread",
                          "-o",
                          path,
                          source,
                          NULL};
    struct program gcc;

    mkdir(harness_built("tests/06-tcg/programs"), 0755);
    snprintf(path, sizeof path, "%s/%s%s-%d", harness_built("tests/06-tcg/programs"),
             programs[n].name, set, getpid());
    snprintf(source, sizeof source, "tests/06-tcg/programs/%s.c", programs[n].name);
    gcc = program_run(argv, NULL, 120);
    ck_assert_msg(gcc.status == 0, "%s does not compile:\n%s", source, gcc.err);
    program_free(&gcc);
    return path;
}

static void run(int n, const char *runner, const char *option, const char *path)
{
    const char *argv[] = {runner, option ? option : path, option ? path : NULL, NULL};
    struct program ran = program_run(argv, NULL, 120);
    char expected[64];

    snprintf(expected, sizeof expected, "%s: ok\n", programs[n].name);
    if (ran.timed_out || ran.status != programs[n].status || strcmp(ran.out, expected) != 0)
        e2e_fail(SECTION, expected, "a system call or a signal done wrongly",
                 "%s %s: status %d, \"%s\" and \"%s\"", runner, path, ran.status, ran.out, ran.err);
    program_free(&ran);
}

START_TEST(system_calls_signals_and_threads_are_linux_s)
{
    const char *path = compiled(_i / 2, sets[_i % 2]);

    run(_i / 2, harness_built("rarm"), NULL, path);
    run(_i / 2, harness_built("rarm"), "--interpret", path);
    unlink(path);
}
END_TEST

START_TEST(qemu_agrees_with_the_checks)
{
    if (programs[_i].qemu_agrees) {
        const char *path = compiled(_i, "-marm");

        run(_i, "qemu-arm", NULL, path);
        unlink(path);
    }
}
END_TEST

/* All of them: make -C chapters/06-tcg torture. */
START_TEST(a_sample_of_gcc_s_torture_tests_passes)
{
    const char *argv[] = {"chapters/06-tcg/torture", "--every", "90", "--levels", "-O0 -O2", NULL};
    struct program ran = program_run(argv, NULL, 380);

    ck_assert_msg(ran.status == 0 && strstr(ran.out, " 0 failed"), "%s%s", ran.out, ran.err);
    program_free(&ran);
}
END_TEST

static const char *no_torture(void)
{
    if (!installed("qemu-arm"))
        return "qemu-arm is not installed (common/deps arm)";
    if (access("build/armel/torture", F_OK) < 0)
        return "GCC's tests are not here (chapters/06-tcg/armel torture)";
    return NULL;
}

int main(void)
{
    Suite *suite = suite_create("programs");
    TCase *tests = tcase_create("programs");

    tcase_set_timeout(tests, 400);
    if (!installed("arm-linux-gnueabi-gcc")) {
        printf("SKIP programs: arm-linux-gnueabi-gcc is not installed (common/deps arm)\n");
    } else {
        tcase_add_loop_test(tests, system_calls_signals_and_threads_are_linux_s, 0, 2 * PROGRAMS);
        harness_add(tests, a_sample_of_gcc_s_torture_tests_passes, no_torture());
        if (installed("qemu-arm"))
            tcase_add_loop_test(tests, qemu_agrees_with_the_checks, 0, PROGRAMS);
        else
            printf("SKIP qemu_agrees_with_the_checks: qemu-arm is not installed\n");
    }
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
