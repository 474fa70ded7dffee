/*
 * sandbox.c: see sandbox.h. Open at hand: seccomp(2), landlock(7).
 *
 * sandbox_lists.c says who may do what, sandbox_program.c turns that into what the kernel
 * runs; this file hands it over, and ends the process when somebody tries something else.
 *
 * Left out on purpose: builds with sanitizers, which open files of /proc when they like.
 */
#define _GNU_SOURCE
#include "07-linux-boot/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "07-linux-boot/sandbox_program.h"
#include "common/die.h"
#include "common/term.h"

#define MALLOC_ARENAS 4

static const char *const kind_names[SANDBOX_KINDS] = {
    [THREAD_MAIN] = "main",       [THREAD_PROCESSOR] = "processor", [THREAD_DEVICE] = "device",
    [THREAD_NETWORK] = "network", [SANDBOX_CLERK] = "clerk",
};

/*
 * The call has not happened. This thread may be an attacker's, so nothing here depends on
 * more than its own stack; and the call that ends the process is in every list.
 */
static void forbidden(int signal, siginfo_t *info, void *context)
{
    char line[128], *end = line, name[16] = "";
    int call = info->si_syscall;

    (void)signal, (void)context;
    term_restore();
    prctl(PR_GET_NAME, name);
    end = stpcpy(end, "vmm: the sandbox does not let the thread \"");
    end = stpcpy(stpcpy(end, name), "\" make system call ");
    for (int unit = 1000; unit > 0; unit /= 10)
        if (call >= unit || unit == 1)
            *end++ = (char)('0' + call / unit % 10);
    *end++ = '\n';
    if (write(STDERR_FILENO, line, (size_t)(end - line)) < 0)
        _exit(STATUS_FORBIDDEN);
    _exit(STATUS_FORBIDDEN);
}

bool sandbox_is_possible(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return false;
#elif defined __has_feature
    return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
    return true;
#endif
}

int sandbox_prepare(struct refusal *why)
{
    struct sigaction action = {.sa_sigaction = forbidden, .sa_flags = SA_SIGINFO};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return refuse(why, -errno, "PR_SET_NO_NEW_PRIVS failed: %s", strerror(errno));
    tzset(); /* else the clock's first date reads the time zone from a file */
    /* Else malloc() counts the host's processors, in a file, when a second thread calls it. */
    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    sigaction(SIGSYS, &action, NULL);
    threads_on_birth(sandbox_enter);
    return 0;
}

/*
 * libslirp asks for the host's name servers again and again, as they change; so its thread
 * must open one file. A filter cannot see which. Landlock can: all that the thread sees of the
 * file system from now on is the folder that has it. Kernels before 5.13 have no Landlock, and
 * others may be told not to use it; then there is -jail. [man landlock(7)]
 */
static void see_only_resolv_conf(void)
{
    struct landlock_ruleset_attr all = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1};
    struct landlock_path_beneath_attr folder = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    char path[PATH_MAX];

    if (rules < 0)
        return;
    if (realpath("/etc/resolv.conf", path)) {
        *strrchr(path, '/') = '\0';
        folder.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &folder, 0);
        close(folder.parent_fd);
    }
    syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
}

/* [sandbox-enter] */
void sandbox_enter(enum thread_kind kind)
{
    struct sandbox_program program;
    struct sock_fprog filter = {.filter = program.code};

    if (kind == THREAD_NETWORK)
        see_only_resolv_conf();
    sandbox_compile(&program, sandbox_rows, sandbox_row_count, kind, (uint32_t)getpid());
    filter.len = program.length;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
        die("seccomp failed: %s: the sandbox cannot be had; -sandbox off does without",
            strerror(errno));
}
/* [/sandbox-enter] */

void sandbox_enter_as_clerk(void)
{
    sandbox_enter(SANDBOX_CLERK);
}

static void print_row(FILE *out, const struct sandbox_row *row)
{
    fprintf(out, "%-18s %-27s", row->name, row->note ? row->note : "");
    for (unsigned kind = 0; kind < SANDBOX_KINDS; kind++)
        fprintf(out, " %-9s",
                row->kinds & BIT(kind)    ? kind_names[kind]
                : row->mildly & BIT(kind) ? "refused"
                                          : "-");
    fprintf(out, "\n");
}

void sandbox_print(FILE *out)
{
    for (size_t i = 0; i < sandbox_row_count; i++)
        print_row(out, &sandbox_rows[i]);
}
