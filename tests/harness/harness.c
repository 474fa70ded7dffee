/* harness.c: running suites, and skipping loudly. See harness.h. */
#define _GNU_SOURCE
#include "harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int harness_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    setvbuf(stdout, NULL, _IOLBF, 0); /* SKIP lines and summaries stay in order */
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void harness_add_test(TCase *tcase, const TTest *test, const char *name, const char *reason)
{
    if (!reason) {
        tcase_add_test(tcase, test);
        return;
    }
    printf("SKIP %s: %s\n", name, reason);
    fflush(stdout);
}

const char *harness_no_kvm(void)
{
    static char reason[128];
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        return NULL;
    }
    snprintf(reason, sizeof reason, "cannot open /dev/kvm: %s", strerror(errno));
    return reason;
}

const char *harness_built(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    const char *build = getenv("BUILD");

    snprintf(path, sizeof paths[0], "%s/%s", build ? build : "build", name);
    return path;
}

void e2e_fail(const char *section, const char *expected, const char *cause, const char *observed,
              ...)
{
    char text[8192];
    va_list args;

    va_start(args, observed);
    vsnprintf(text, sizeof text, observed, args);
    va_end(args);
    ck_abort_msg("\n  observed: %s\n  expected: %s\n  likely cause: %s\n  read: %s\n", text,
                 expected, cause, section);
    abort(); /* ck_abort_msg does not return in fork mode */
}
