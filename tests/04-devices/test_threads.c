/* test_threads.c: threads that name themselves. */
#define _GNU_SOURCE
#include <string.h>

#include "04-devices/threads.h"
#include "harness/harness.h"

static char seen[16];
static enum thread_kind born_as = THREAD_KINDS;

static void *look(void *self)
{
    pthread_getname_np(pthread_self(), seen, sizeof seen);
    return self;
}

static void run(const char *name)
{
    pthread_t thread;
    void *result;

    ck_assert_int_eq(thread_start(&thread, THREAD_DEVICE, name, look, seen), 0);
    pthread_join(thread, &result);
    ck_assert_ptr_eq(result, seen);
}

START_TEST(a_thread_has_its_name_before_it_works)
{
    run("disk 0");
    ck_assert_str_eq(seen, "disk 0");
    run("a name that is too long");
    ck_assert_str_eq(seen, "a name that is ");
}
END_TEST

static void remember(enum thread_kind kind)
{
    pthread_getname_np(pthread_self(), seen, sizeof seen);
    born_as = kind;
}

static void *do_nothing(void *self)
{
    return self;
}

START_TEST(whoever_asks_hears_of_each_birth_on_the_thread_itself)
{
    pthread_t thread;

    threads_on_birth(remember);
    ck_assert_int_eq(thread_start(&thread, THREAD_NETWORK, "net", do_nothing, NULL), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(born_as, THREAD_NETWORK);
    ck_assert_str_eq(seen, "net");
}
END_TEST

static Suite *threads_suite(void)
{
    Suite *suite = suite_create("threads");
    TCase *tcase = tcase_create("threads");

    tcase_add_test(tcase, a_thread_has_its_name_before_it_works);
    tcase_add_test(tcase, whoever_asks_hears_of_each_birth_on_the_thread_itself);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return harness_main(threads_suite());
}
