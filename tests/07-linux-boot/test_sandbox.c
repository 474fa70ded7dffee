/*
 * test_sandbox.c: what a thread has given up. Each probe is a process of its own, for there
 * is no way back out of a sandbox. Long, because each kind of thread is tried.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/kvm.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "07-linux-boot/privileges.h"
#include "07-linux-boot/sandbox.h"
#include "07-linux-boot/sandbox_program.h"
#include "common/bits.h"
#include "harness/harness.h"

static int open_a_file(void)
{
    return open("/etc/passwd", O_RDWR);
}

static int start_a_program(void)
{
    char *const argv[] = {"true", NULL};

    return execve("/bin/true", argv, argv + 1);
}

static int open_a_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);

    return page == MAP_FAILED ? -1 : 0;
}

static int make_data_code(void)
{
    static _Alignas(4096) char page[4096];

    return mprotect(page, sizeof page, PROT_READ | PROT_EXEC);
}

static int type_for_the_user(void)
{
    return ioctl(0, TIOCSTI, "x");
}

static int attach_to_a_process(void)
{
    return kill(getppid(), 0);
}

/* As fork() does, but glibc's since 2.41 blocks all signals first, SIGSYS too. */
static int start_a_process(void)
{
    return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int signal_another_process(void)
{
    return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int make_a_ring(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int become_somebody(void)
{
    return setuid(1);
}

static int remove_a_file(void)
{
    return unlink("/nonexistent/file");
}

static int get_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? -1
               : 0;
}

#define ALL    (BIT(THREAD_KINDS) - 1)
#define NOBODY 0u
#define MILDLY BIT(31) /* the main thread is told no, and goes on */

static const struct {
    const char *what;
    int (*probe)(void);
    uint64_t allowed; /* to these kinds of threads */
} probes[] = {
    {"opening a file to write", open_a_file, MILDLY},
    {"starting a program", start_a_program, NOBODY},
    {"opening a socket", open_a_socket, BIT(THREAD_NETWORK)},
    {"memory that is executable", make_code, NOBODY},
    {"making memory executable", make_data_code, NOBODY},
    {"typing in the user's name", type_for_the_user, NOBODY},
    {"looking for another process", attach_to_a_process, NOBODY},
    {"a signal to another process", signal_another_process, NOBODY},
    {"another process", start_a_process, NOBODY},
    {"an io_uring, which opens files behind the filter's back", make_a_ring, NOBODY},
    {"another user's rights", become_somebody, NOBODY},
    {"removing a file", remove_a_file, MILDLY},
    {"memory", get_memory, ALL},
};

/* In a process of its own, on its only thread. The status: 0, 1 (the call failed) or what
 * the sandbox makes of it. */
static int try(enum thread_kind kind, int (*probe)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct refusal why;

        if (sandbox_prepare(&why) < 0)
            _exit(99);
        close(STDERR_FILENO);
        sandbox_enter(kind);
        _exit(probe() < 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

START_TEST(a_thread_can_do_what_its_list_says_and_nothing_else)
{
    for (unsigned kind = 0; kind < THREAD_KINDS; kind++) {
        int status = try((enum thread_kind)kind, probes[_i].probe);
        bool mildly = (probes[_i].allowed & MILDLY) && kind == THREAD_MAIN;
        int expected = probes[_i].allowed & BIT(kind) ? 0 : mildly ? 1 : STATUS_FORBIDDEN;

        ck_assert_msg(status == expected,
                      "%s, a thread of kind %u: status %d, expected %d; see sandbox.c's tables",
                      probes[_i].what, kind, status, expected);
    }
}
END_TEST

static void *open_on_a_thread(void *self)
{
    open_a_file();
    return self;
}

START_TEST(threads_enter_by_themselves)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct refusal why;
        pthread_t thread;

        sandbox_prepare(&why);
        close(STDERR_FILENO);
        if (thread_start(&thread, THREAD_DEVICE, "probe", open_on_a_thread, NULL) == 0)
            pthread_join(thread, NULL);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), STATUS_FORBIDDEN);
}
END_TEST

/* The user network's thread may open files to read, but it sees one folder. */
static int read_name_servers(void)
{
    return open("/etc/resolv.conf", O_RDONLY);
}

static int read_something_else(void)
{
    return open("/proc/self/status", O_RDONLY);
}

START_TEST(the_network_thread_reads_one_folder)
{
    ck_assert_int_eq(try(THREAD_NETWORK, read_name_servers), access("/etc/resolv.conf", R_OK) < 0);
    ck_assert_int_eq(try(THREAD_NETWORK, read_something_else), 1);
}
END_TEST

static const char *no_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0
               ? NULL
               : "this kernel has no Landlock";
}

/* ---- the process ---- */

#define NOBODY_ID   65534u
#define NO_JAIL     77 /* the host lets nobody but root have namespaces */
#define HAS_NOTHING 0

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool empty = folder != NULL;

    while (empty && (entry = readdir(folder)))
        empty = entry->d_name[0] == '.';
    return empty;
}

/* Which of the promises is not kept, or HAS_NOTHING. */
static int look_around_in_a_jail(void)
{
    struct privileges privileges = {.jail = true};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    struct refusal why;

    if (setgroups(0, NULL) < 0 || setresgid(NOBODY_ID, NOBODY_ID, NOBODY_ID) < 0 ||
        setresuid(NOBODY_ID, NOBODY_ID, NOBODY_ID) < 0)
        return 1;
    prctl(PR_SET_DUMPABLE, 1); /* as if nobody had started us: /proc/self is ours */
    if (privileges_drop(&privileges, &why) < 0)
        return strstr(why.text, "only root") ? NO_JAIL : 2;
    if (!is_empty("/") || access("/proc", F_OK) == 0 || access("/etc/passwd", F_OK) == 0)
        return 3;
    if (mkdir("/etc", 0755) == 0 || errno != EROFS)
        return 4;
    if (getuid() != NOBODY_ID || setuid(0) == 0 || setgid(0) == 0)
        return 5;
    if (chroot("/") == 0 || unshare(CLONE_NEWNET) == 0 || mount("x", "/", "tmpfs", 0, NULL) == 0)
        return 6;
    if (syscall(SYS_capget, &header, sets) < 0 || sets[0].effective || sets[0].permitted ||
        sets[1].effective || sets[1].permitted)
        return 7;
    return if_nametoindex("lo") == 1 && if_nametoindex("eth0") == 0 ? HAS_NOTHING : 8;
}

static int in_a_jail(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(look_around_in_a_jail());
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Root of a user namespace for a moment; and then not even that. */
START_TEST(a_jail_needs_no_root_and_leaves_none)
{
    ck_assert_int_eq(in_a_jail(), HAS_NOTHING);
}
END_TEST

/* ---- the programs, beside those that libseccomp writes ---- */

/* The kernel's packet filter, as far as either of us uses it. */
static uint32_t verdict(const struct sock_filter *code, const struct seccomp_data *data)
{
    uint32_t a = 0;

    for (const struct sock_filter *at = code;; at++) {
        bool jump = false;

        switch (at->code) {
        case BPF_LD | BPF_W | BPF_ABS: memcpy(&a, (const char *)data + at->k, sizeof a); continue;
        case BPF_ALU | BPF_AND | BPF_K: a &= at->k; continue;
        case BPF_RET | BPF_K: return at->k;
        case BPF_JMP | BPF_JA: at += at->k; continue;
        case BPF_JMP | BPF_JEQ | BPF_K: jump = a == at->k; break;
        case BPF_JMP | BPF_JGE | BPF_K: jump = a >= at->k; break;
        case BPF_JMP | BPF_JGT | BPF_K: jump = a > at->k; break;
        case BPF_JMP | BPF_JSET | BPF_K: jump = a & at->k; break;
        default: ck_abort_msg("instruction 0x%x", at->code);
        }
        at += jump ? at->jt : at->jf;
    }
}

static void judge_row(scmp_filter_ctx context, const struct sandbox_row *row, unsigned kind,
                      uint32_t self)
{
    int error = 0;

    if (row->mildly & BIT(kind))
        error = seccomp_rule_add(context, SCMP_ACT_ERRNO((uint32_t)row->error), row->number, 0);
    else if (!(row->kinds & BIT(kind)))
        return;
    else if (row->bits == 0)
        error = seccomp_rule_add(context, SCMP_ACT_ALLOW, row->number, 0);
    else
        error = seccomp_rule_add(
            context, SCMP_ACT_ALLOW, row->number, 1,
            SCMP_CMP(row->argument, SCMP_CMP_MASKED_EQ, row->bits, row->self ? self : row->value));
    ck_assert_msg(error == 0, "%s: %s", row->name, strerror(-error));
}

/* In static storage. */
static const struct sock_filter *judges_program(unsigned kind, uint32_t self)
{
    static struct sock_filter code[4096];
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_TRAP);
    int fd = memfd_create("filter", MFD_CLOEXEC);

    for (size_t i = 0; i < sandbox_row_count; i++)
        judge_row(context, &sandbox_rows[i], kind, self);
    ck_assert_int_eq(seccomp_export_bpf(context, fd), 0);
    seccomp_release(context);
    ck_assert_int_gt(pread(fd, code, sizeof code, 0), 0);
    close(fd);
    return code;
}

static void compare(const struct sock_filter *ours, const struct sock_filter *judges,
                    const struct seccomp_data *data, unsigned kind)
{
    uint32_t is = verdict(ours, data), expected = verdict(judges, data);

    /* Calls of other tables: it kills silently, we with a line on standard error. */
    if (expected == SECCOMP_RET_KILL_THREAD)
        expected = SECCOMP_RET_TRAP;
    ck_assert_msg(is == expected,
                  "kind %u, call %d (0x%llx, 0x%llx, 0x%llx): verdict 0x%x, libseccomp's 0x%x",
                  kind, data->nr, (unsigned long long)data->args[0],
                  (unsigned long long)data->args[1], (unsigned long long)data->args[2], is,
                  expected);
}

/* A call, with every argument that one of its rows wants, and with neighbours of these. */
static void compare_call(const struct sock_filter *ours, const struct sock_filter *judges,
                         struct seccomp_data data, unsigned kind)
{
    static const uint64_t others[] = {0,         1, 4, 7, UINT64_C(0xffffffff), UINT64_C(1) << 32,
                                      UINT64_MAX};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        for (unsigned argument = 0; argument < 6; argument++)
            data.args[argument] = others[i];
        compare(ours, judges, &data, kind);
    }
    for (size_t i = 0; i < sandbox_row_count; i++)
        for (unsigned change = 0; change < 34 && sandbox_rows[i].number == data.nr; change++) {
            uint64_t value = sandbox_rows[i].value ^ (change ? BIT(change - 1) : 0);

            memset(data.args, 0, sizeof data.args);
            data.args[sandbox_rows[i].argument] = value;
            compare(ours, judges, &data, kind);
        }
}

START_TEST(each_filter_decides_as_one_of_libseccomp_does)
{
    const uint32_t self = 4711;
    const struct sock_filter *judges = judges_program((unsigned)_i, self);
    static struct sandbox_program program;
    struct seccomp_data data = {.arch = AUDIT_ARCH_X86_64};

    sandbox_compile(&program, sandbox_rows, sandbox_row_count, (enum thread_kind)_i, self);
    for (data.nr = 0; data.nr < 600; data.nr++)
        compare_call(program.code, judges, data, (unsigned)_i);
    data.args[0] = self;
    data.nr = SYS_tgkill;
    compare(program.code, judges, &data, (unsigned)_i);
    for (data.nr = 0x40000000; data.nr < 0x40000000 + 600; data.nr++)
        compare(program.code, judges, &data, (unsigned)_i);
    data.arch = AUDIT_ARCH_I386;
    for (data.nr = 0; data.nr < 600; data.nr++)
        compare(program.code, judges, &data, (unsigned)_i);
}
END_TEST

START_TEST(rows_of_a_call_stand_together)
{
    for (size_t i = 1; i < sandbox_row_count; i++)
        for (size_t j = 0; j < i && sandbox_rows[i].number != sandbox_rows[i - 1].number; j++)
            ck_assert_msg(sandbox_rows[j].number != sandbox_rows[i].number, "%s",
                          sandbox_rows[i].name);
}
END_TEST

/* Names are for people; the numbers decide. */
START_TEST(each_row_has_the_name_of_its_call)
{
    for (size_t i = 0; i < sandbox_row_count; i++)
        ck_assert_int_eq(seccomp_syscall_resolve_name(sandbox_rows[i].name),
                         sandbox_rows[i].number);
}
END_TEST

/* The promise is that nobody ever does these. */
START_TEST(no_list_has_what_a_vmm_never_needs)
{
    static const int never[] = {SYS_execve,
                                SYS_execveat,
                                SYS_fork,
                                SYS_vfork,
                                SYS_ptrace,
                                SYS_kill,
                                SYS_open,
                                SYS_creat,
                                SYS_setuid,
                                SYS_mount,
                                SYS_chroot,
                                SYS_bpf,
                                SYS_unshare,
                                SYS_setns,
                                SYS_keyctl,
                                SYS_process_vm_readv,
                                SYS_process_vm_writev,
                                SYS_io_uring_setup,
                                SYS_io_uring_register,
                                SYS_perf_event_open,
                                SYS_userfaultfd};

    for (size_t i = 0; i < sandbox_row_count; i++)
        for (size_t j = 0; j < ARRAY_SIZE(never); j++)
            ck_assert_msg(sandbox_rows[i].number != never[j], "%s", sandbox_rows[i].name);
}
END_TEST

static Suite *sandbox_suite(void)
{
    Suite *suite = suite_create("sandbox");
    TCase *tests = tcase_create("lists");
    const char *reason = sandbox_is_possible() ? NULL : "a build with sanitizers opens files";
    const char *no_jail = geteuid() != 0           ? "only root may become nobody first"
                          : in_a_jail() == NO_JAIL ? "this host lets only root have namespaces"
                                                   : NULL;

    if (reason)
        printf("SKIP a_thread_can_do_what_its_list_says_and_nothing_else: %s\n", reason);
    else
        tcase_add_loop_test(tests, a_thread_can_do_what_its_list_says_and_nothing_else, 0,
                            ARRAY_SIZE(probes));
    harness_add(tests, threads_enter_by_themselves, reason);
    harness_add(tests, the_network_thread_reads_one_folder, reason ? reason : no_landlock());
    harness_add(tests, a_jail_needs_no_root_and_leaves_none, no_jail);
    tcase_add_loop_test(tests, each_filter_decides_as_one_of_libseccomp_does, 0, SANDBOX_KINDS);
    tcase_add_test(tests, rows_of_a_call_stand_together);
    tcase_add_test(tests, each_row_has_the_name_of_its_call);
    tcase_add_test(tests, no_list_has_what_a_vmm_never_needs);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(sandbox_suite());
}
