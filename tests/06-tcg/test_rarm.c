/*
 * rarm from outside, with programs made by hand: no ARM compiler is needed.
 *
 * Each program is a few words of ARM code; its comment is the assembly. Numbers of
 * system calls: exit 1, write 4, kill 37, getpid 20, mmap2 192.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "image.h"

#define SECTION    "book/06-tcg.md, \"Linux, from below\""

#define WORDS(...) (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4

/* mov r7, #number; svc #0 */
#define CALL(number) 0xe3a07000 | (number), 0xef000000
/* mov r0, #status; exit */
#define EXIT(status) 0xe3a00000 | (status), CALL(1)

static const char *made(const char *name, const uint32_t *code, uint32_t words)
{
    static struct image image;

    image_make(&image, code, words);
    return image_save(&image, name);
}

static struct program run(const char *path, const char *option)
{
    const char *argv[] = {harness_built("rarm"), option ? option : path, option ? path : NULL,
                          NULL};

    return program_run(argv, NULL, 20);
}

/* Runs the code; the status must be right, and so must a part of standard error. */
static void check(const uint32_t *code, uint32_t words, int status, const char *err)
{
    struct program ran = run(made("06-tcg/by-hand", code, words), NULL);

    if (ran.status != status || !strstr(ran.err, err) || ran.timed_out)
        e2e_fail(SECTION, "another end", "a stop settled wrongly",
                 "status %d, not %d; stderr \"%s\"", ran.status, status, ran.err);
    program_free(&ran);
}

START_TEST(a_program_of_eleven_words_says_hello)
{
    const char *path = made("06-tcg/hello-by-hand",
                            WORDS(0xe3a00001, 0xe28f1014, /* mov r0, #1; add r1, pc, #20 */
                                  0xe3a02006, CALL(4),    /* mov r2, #6; write */
                                  EXIT(3), 0x6c6c6568, 0x00000a6f));
    struct program ran = run(path, NULL);

    ck_assert_str_eq(ran.out, "hello\n");
    ck_assert_int_eq(ran.status, 3);
    program_free(&ran);
}
END_TEST

START_TEST(the_book_s_program_greets)
{
    const char *argv[] = {harness_built("rarm"), harness_built("06-tcg/greet.bin"), NULL};

    e2e_run(argv, 0, "Hello from ARM Linux.\n", "", "a header or a call done wrongly", SECTION);
}
END_TEST

/* ARM52: the same program, a hundred times, on both engines in turn. */
START_TEST(a_program_does_the_same_every_time)
{
    const char *translated[] = {harness_built("rarm"), harness_built("06-tcg/greet.bin"), NULL};
    const char *interpreted[] = {harness_built("rarm"), "--interpret",
                                 harness_built("06-tcg/greet.bin"), NULL};
    struct program first = program_run(translated, NULL, 20);

    ck_assert_uint_gt(first.out_size, 0);
    for (unsigned i = 0; i < 100; i++) {
        struct program again = program_run(i % 2 ? interpreted : translated, NULL, 20);

        ck_assert_int_eq(again.status, first.status);
        ck_assert_uint_eq(again.out_size, first.out_size);
        ck_assert_mem_eq(again.out, first.out, first.out_size);
        program_free(&again);
    }
    program_free(&first);
}
END_TEST

START_TEST(strace_shows_the_call)
{
    const char *path = made("06-tcg/strace-by-hand", WORDS(0xe3e00000, CALL(6), EXIT(0)));
    struct program ran = run(path, "-strace"); /* mvn r0, #0; close */

    ck_assert_int_eq(ran.status, 0);
    ck_assert_msg(strstr(ran.err, "close(-1) = -1 errno=9"), "%s", ran.err);
    ck_assert_msg(strstr(ran.err, "exit(0)"), "%s", ran.err);
    program_free(&ran);
}
END_TEST

START_TEST(unknown_calls_are_enosys) /* ARM45; the status is the low byte of -38 */
{
    check(WORDS(0xe3e07000, 0xef000000, CALL(1)), (uint8_t)-38, "");             /* mvn r7, #0 */
    check(WORDS(0xe3a070ff, 0xefffffff, CALL(1)), (uint8_t)-38, "");             /* svc #0xffffff */
    check(WORDS(0xe3a0780f, 0xe2877001, 0xef000000, CALL(1)), (uint8_t)-38, ""); /* 0x0f0001 */
}
END_TEST

START_TEST(wild_pointers_are_efault) /* ARM44 */
{
    /* mov r0, #0; mvn r1, #0; mvn r2, #0x80000000; read: and write, and writev */
    check(WORDS(0xe3a00000, 0xe3e01000, 0xe3e02102, CALL(3), CALL(1)), (uint8_t)-14, "");
    check(WORDS(0xe3a00001, 0xe3e01000, 0xe3e02102, CALL(4), CALL(1)), (uint8_t)-14, "");
    check(WORDS(0xe3a00001, 0xe3e01000, 0xe3a02003, CALL(146), CALL(1)), (uint8_t)-14, "");
}
END_TEST

START_TEST(impossible_mappings_are_refused) /* ARM46 */
{
    /* r0 address, r1 length, r2 prot, r3 flags, r4 fd, r5 offset */
    check(WORDS(0xe3a00000, 0xe3a01000, 0xe3a02003, 0xe3a03022, 0xe3e04000, 0xe3a05000, CALL(192),
                CALL(1)),
          (uint8_t)-22, ""); /* length 0 */
    check(WORDS(0xe3a00000, 0xe3e01000, 0xe3a02003, 0xe3a03022, 0xe3e04000, 0xe3a05000, CALL(192),
                CALL(1)),
          (uint8_t)-12, ""); /* length 0xffffffff */
    check(WORDS(0xe3e00000, 0xe1a00800, 0xe3a01a01, 0xe3a02003, 0xe3a03032, 0xe3e04000, 0xe3a05000,
                CALL(192), CALL(1)),
          (uint8_t)-12, ""); /* fixed over the helper page */
    check(WORDS(0xe3a00000, 0xe3a01a01, 0xe3a02003, 0xe3a03032, 0xe3e04000, 0xe3a05000, CALL(192),
                CALL(1)),
          (uint8_t)-1, ""); /* fixed at 0 */
}
END_TEST

START_TEST(a_missing_instruction_is_named)
{
    check(WORDS(0xe1a00000, 0xe7f000f0), 128 + SIGILL, "0xe7f000f0 at 0x00010104: SIGILL");
}
END_TEST

START_TEST(deaths_have_their_signal)
{
    check(WORDS(0xe3a00000, 0xe5900000), 128 + SIGSEGV, "");                     /* ldr r0, [r0] */
    check(WORDS(0xe3a00102, 0xe12fff10), 128 + SIGSEGV, "");                     /* bx r0 */
    check(WORDS(0xe1200070), 128 + SIGTRAP, "");                                 /* bkpt */
    check(WORDS(CALL(20), 0xe3a0100f, CALL(37), 0xeafffffe), 128 + SIGTERM, ""); /* kill(self) */
    check(WORDS(0xe3e00a0f, 0xe12fff10), 128 + SIGILL, ""); /* bx 0xffff0fff: no helper there */
}
END_TEST

/* A loop in the guest, and a signal from outside: rarm is gone within a second. */
static void end_by_term(const uint32_t *code, uint32_t words)
{
    const char *path = made("06-tcg/loop-by-hand", code, words), *rarm = harness_built("rarm");
    int status = 0, waited = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGTERM, SIG_DFL); /* libcheck's would end us all, if it came before rarm */
        execl(rarm, rarm, path, NULL);
        _exit(127);
    }
    usleep(200000);
    ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0);
    kill(child, SIGTERM);
    for (; waitpid(child, &status, WNOHANG) == 0 && waited < 100; waited++)
        usleep(10000);
    ck_assert_int_lt(waited, 100);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

START_TEST(loops_end_with_a_signal) /* ARM25, ARM49 */
{
    end_by_term(WORDS(0xeafffffe));             /* b . */
    end_by_term(WORDS(0xeaffffff, 0xeafffffd)); /* two that branch to each other */
    end_by_term(WORDS(0xe320f003, 0xe320f002, 0xe320f001, 0xeafffffb)); /* wfi; wfe; yield; b */
}
END_TEST

START_TEST(broken_programs_are_refused_in_one_line) /* ARM02, ARM08, ARM11 */
{
    static struct image image;
    static const uint32_t nothing[] = {0xe1a00000};
    struct program ran;

    image_make(&image, nothing, 1);
    image.header.e_machine = EM_X86_64;
    ran = run(image_save(&image, "06-tcg/broken-by-hand"), NULL);
    ck_assert_int_eq(ran.status, 1);
    ck_assert_str_eq(ran.out, "");
    ck_assert_msg(strstr(ran.err, "e_machine is 62, not ARM (40)\n"), "%s", ran.err);
    program_free(&ran);

    image_make(&image, nothing, 1);
    image.load.p_vaddr = 0xeffff000;
    ran = run(image_save(&image, "06-tcg/broken-by-hand"), NULL);
    ck_assert_int_eq(ran.status, 1);
    ck_assert_msg(strstr(ran.err, "are not for programs"), "%s", ran.err);
    program_free(&ran);

    image_make(&image, nothing, 1);
    image.second = (Elf32_Phdr){.p_type = PT_INTERP, .p_offset = 0x104, .p_filesz = 12};
    memcpy(image.bytes + 0x104, "/etc/passwd", 12);
    image.size += 12;
    ran = run(image_save(&image, "06-tcg/broken-by-hand"), NULL);
    ck_assert_int_eq(ran.status, 1);
    ck_assert_msg(strstr(ran.err, "interpreter /etc/passwd"), "%s", ran.err);
    program_free(&ran);

    ran = run("/no/such/program", NULL);
    ck_assert_int_eq(ran.status, 1);
    ck_assert_msg(strstr(ran.err, "/no/such/program: cannot open"), "%s", ran.err);
    program_free(&ran);
}
END_TEST

START_TEST(more_arguments_than_stack_are_refused) /* ARM13 */
{
    const char *path = made("06-tcg/arguments-by-hand", WORDS(EXIT(0)));
    char *large = malloc(100001);
    const char *argv[] = {harness_built("rarm"), "-s", "262144", path, large, NULL};
    struct program ran;

    memset(large, 'x', 100000);
    large[100000] = '\0';
    ran = program_run(argv, NULL, 20);
    ck_assert_int_eq(ran.status, 1);
    ck_assert_msg(strstr(ran.err, "do not fit on its stack"), "%s", ran.err);
    program_free(&ran);
    free(large);
}
END_TEST

START_TEST(a_huge_bss_runs_without_the_memory) /* ARM07 */
{
    static struct image image;
    static const uint32_t leave[] = {EXIT(5)};
    struct program ran;

    image_make(&image, leave, 3);
    image.load.p_memsz = 0xe0000000;
    ran = run(image_save(&image, "06-tcg/bss-by-hand"), NULL);
    ck_assert_int_eq(ran.status, 5);
    program_free(&ran);
}
END_TEST

/* argc, argv[0] and the environment as the stack has them. */
START_TEST(options_reach_the_program)
{
    const char *path = made("06-tcg/options-by-hand",
                            WORDS(0xe3a00001, /* mov r0, #1 */
                                  0xe59d1004, /* ldr r1, [sp, #4]: argv[0] */
                                  0xe3a02004, /* mov r2, #4 */
                                  CALL(4),    /* write */
                                  0xe59d0000, /* ldr r0, [sp]: argc */
                                  CALL(1)));
    const char *argv[] = {harness_built("rarm"), "-0", "name", path, "-L", "--help", NULL};
    struct program ran = program_run(argv, NULL, 20);

    ck_assert_str_eq(ran.out, "name");
    ck_assert_int_eq(ran.status, 3);
    program_free(&ran);
}
END_TEST

/* #! as the kernel has it: the interpreter, its one argument, the script, the others. */
START_TEST(a_script_runs_its_interpreter)
{
    const char *path = made("06-tcg/interpreter-by-hand",
                            WORDS(0xe3a00001, /* mov r0, #1 */
                                  0xe59d1008, /* ldr r1, [sp, #8]: argv[1] */
                                  0xe3a02005, /* mov r2, #5 */
                                  CALL(4),    /* write */
                                  0xe59d0000, /* ldr r0, [sp]: argc */
                                  CALL(1)));
    const char *script = harness_built("06-tcg/script-by-hand");
    FILE *file = fopen(script, "w");
    struct program ran;

    ck_assert_ptr_nonnull(file);
    fprintf(file, "#! %s  a b c \n", path);
    fchmod(fileno(file), 0755);
    fclose(file);
    ran = run(script, NULL);
    ck_assert_str_eq(ran.out, "a b c");
    ck_assert_int_eq(ran.status, 3);
    program_free(&ran);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rarm");
    TCase *tests = tcase_create("rarm");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_program_of_eleven_words_says_hello);
    tcase_add_test(tests, the_book_s_program_greets);
    tcase_add_test(tests, a_program_does_the_same_every_time);
    tcase_add_test(tests, strace_shows_the_call);
    tcase_add_test(tests, unknown_calls_are_enosys);
    tcase_add_test(tests, wild_pointers_are_efault);
    tcase_add_test(tests, impossible_mappings_are_refused);
    tcase_add_test(tests, a_missing_instruction_is_named);
    tcase_add_test(tests, deaths_have_their_signal);
    tcase_add_test(tests, loops_end_with_a_signal);
    tcase_add_test(tests, broken_programs_are_refused_in_one_line);
    tcase_add_test(tests, more_arguments_than_stack_are_refused);
    tcase_add_test(tests, a_huge_bss_runs_without_the_memory);
    tcase_add_test(tests, options_reach_the_program);
    tcase_add_test(tests, a_script_runs_its_interpreter);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
