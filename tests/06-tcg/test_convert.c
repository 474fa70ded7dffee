/*
 * Structures between the guest's layout and the host's, and paths: system calls made by
 * hand, without guest code. Offsets are written out: they are the ABI. The file is long
 * because the ABI has many corners, and each test is a few lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/helper.h"
#include "06-tcg/linux/path.h"
#include "06-tcg/linux/signal.h"
#include "06-tcg/linux/syscall.h"
#include "harness/harness.h"

#define AT 0x20000u /* two pages of guest memory */

static struct process process;
static struct thread thread;
static struct signal_actions actions;

static void set_up(void)
{
    fault_install();
    ck_assert_int_eq(space_init(&process.space), 0);
    ck_assert_int_eq(space_map(&process.space, AT, 0x2000, SPACE_READ | SPACE_WRITE, false, -1, 0),
                     0);
    thread = (struct thread){.process = &process, .actions = &actions};
    thread.cpu.space = &process.space;
    process.stack_low = process.mmap_high = 0xf0000000;
}

static void tear_down(void)
{
    space_free(&process.space);
    process.options.sysroot = NULL;
}

/* The guest's call; r0 as a signed number. */
static int32_t call(uint32_t number, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t r[] = {a, b, c, d, 0, 0, 0, number};

    memcpy(thread.cpu.r, r, sizeof r);
    syscall_run(&thread);
    return (int32_t)thread.cpu.r[0];
}

static uint32_t word(uint32_t address)
{
    uint32_t value;

    ck_assert_int_eq(space_read(&process.space, address, &value, 4), 0);
    return value;
}

static void put(uint32_t address, const void *bytes, size_t size)
{
    ck_assert_int_eq(space_write(&process.space, address, bytes, size), 0);
}

static void put_word(uint32_t address, uint32_t value)
{
    put(address, &value, 4);
}

START_TEST(stat64_is_104_bytes_with_the_inode_last)
{
    struct stat host;

    put(AT, "/dev/null", 10);
    put_word(AT + 0x100 + 104, 0xdeadbeef);
    ck_assert_int_eq(call(195, AT, AT + 0x100, 0, 0), 0);
    ck_assert_int_eq(stat("/dev/null", &host), 0);
    ck_assert_uint_eq(word(AT + 0x100 + 12), (uint32_t)host.st_ino);
    ck_assert_uint_eq(word(AT + 0x100 + 16), host.st_mode);
    ck_assert_uint_eq(word(AT + 0x100 + 32), (uint32_t)host.st_rdev);
    ck_assert_uint_eq(word(AT + 0x100 + 48), 0); /* st_size */
    ck_assert_uint_eq(word(AT + 0x100 + 72), (uint32_t)host.st_atim.tv_sec);
    ck_assert_uint_eq(word(AT + 0x100 + 96), (uint32_t)host.st_ino);
    ck_assert_uint_eq(word(AT + 0x100 + 104), 0xdeadbeef);
}
END_TEST

START_TEST(results_do_not_reach_past_the_guest_s_memory)
{
    put(AT, "/dev/null", 10);
    ck_assert_int_eq(call(195, AT, AT + 0x2000 - 103, 0, 0), -EFAULT);
    ck_assert_int_eq(call(195, AT, AT + 0x2000 - 104, 0, 0), 0);
    ck_assert_int_eq(call(195, AT + 0x2000, AT, 0, 0), -EFAULT);
    ck_assert_int_eq(call(122, AT + 0x2000 - 389, 0, 0, 0), -EFAULT); /* uname: 6 * 65 */
    ck_assert_int_eq(call(122, AT + 0x2000 - 390, 0, 0, 0), 0);
}
END_TEST

START_TEST(times_of_32_bits_keep_their_sign)
{
    struct timespec time;

    put(AT, (int32_t[]){-2, 999999999}, 8);
    ck_assert_int_eq(convert_time_in(&process.space, AT, false, &time), 0);
    ck_assert_int_eq(time.tv_sec, -2);
    ck_assert_int_eq(time.tv_nsec, 999999999);
    /* Of 64 bits: the upper half of tv_nsec is padding, and may hold anything. */
    put(AT, (int64_t[]){-2, 0x7777777700000005}, 16);
    ck_assert_int_eq(convert_time_in(&process.space, AT, true, &time), 0);
    ck_assert_int_eq(time.tv_nsec, 5);
    ck_assert_int_eq(convert_time_in(&process.space, AT + 0x2000 - 7, false, &time), -EFAULT);
}
END_TEST

START_TEST(vectors_are_bounded)
{
    struct iovec host[IOV_MAX];

    put(AT, (uint32_t[]){AT + 8, 4, AT + 12, 0, 0, 0}, 24);
    ck_assert_int_eq(convert_iovec(&process.space, AT, 3, SPACE_WRITE, host), 0);
    ck_assert_ptr_eq(host[0].iov_base, space_at(&process.space, AT + 8));
    ck_assert_uint_eq(host[0].iov_len, 4);
    ck_assert_int_eq(convert_iovec(&process.space, AT, IOV_MAX + 1, SPACE_READ, host), -EINVAL);
    put(AT, (uint32_t[]){AT, 0x40000000, AT, 0x40000000}, 16);
    ck_assert_int_eq(convert_iovec(&process.space, AT, 2, SPACE_READ, host), -EFAULT);
    put(AT, (uint32_t[]){0xffffffff, 0xffffffff}, 8);
    ck_assert_int_eq(convert_iovec(&process.space, AT, 1, SPACE_READ, host), -EINVAL);
    put(AT, (uint32_t[]){0xffffffff, 2}, 8);
    ck_assert_int_eq(convert_iovec(&process.space, AT, 1, SPACE_READ, host), -EFAULT);
    ck_assert_int_eq(convert_iovec(&process.space, 0xfffffffc, 1, SPACE_READ, host), -EFAULT);
}
END_TEST

/* All six arguments; r0 as a signed number. */
static int32_t call6(uint32_t number, const uint32_t args[6])
{
    memcpy(thread.cpu.r, args, 6 * sizeof *args);
    thread.cpu.r[7] = number;
    syscall_run(&thread);
    return (int32_t)thread.cpu.r[0];
}

START_TEST(structures_of_longs_are_half_as_large)
{
    int timer = call(350, CLOCK_MONOTONIC, 0, 0, 0); /* timerfd_create */

    /* An interval of 3.000000004 s, which begins in 500.000000006 s. */
    put(AT, (int32_t[]){3, 4, 500, 6}, 16);
    put(AT + 64, (uint32_t[]){0, 0, 0, 0, 0x99999999}, 20);
    ck_assert_int_eq(call(353, (uint32_t)timer, 0, AT, AT + 64), 0); /* timerfd_settime */
    ck_assert_int_eq(call(354, (uint32_t)timer, AT + 64, 0, 0), 0);  /* timerfd_gettime */
    ck_assert_uint_eq(word(AT + 64), 3);
    ck_assert_uint_eq(word(AT + 68), 4);
    ck_assert_uint_eq(word(AT + 72), 499);
    ck_assert_uint_eq(word(AT + 80), 0x99999999); /* behind it */
    /* With 64 bits: what stands in the padding of the nanoseconds does not matter. */
    put(AT, (int64_t[]){7, 0x5555555500000008, 600, 0x7777777700000009}, 32);
    ck_assert_int_eq(call(411, (uint32_t)timer, 0, AT, AT + 64), 0);
    ck_assert_uint_eq(word(AT + 64), 3); /* the old one */
    ck_assert_uint_eq(word(AT + 72), 4);
    ck_assert_uint_eq(word(AT + 80), 499);
    ck_assert_int_eq(call(354, (uint32_t)timer, AT + 64, 0, 0), 0);
    ck_assert_uint_eq(word(AT + 64), 7);
    ck_assert_uint_eq(word(AT + 68), 8);
    ck_assert_int_eq(call(354, (uint32_t)timer, AT + 0x2000 - 15, 0, 0), -EFAULT);
    ck_assert_int_eq(call(353, (uint32_t)timer, 0, AT + 0x2000 - 15, 0), -EFAULT);
    close(timer);
}
END_TEST

/* Linux writes no rusage if no child has ended: what stood there stays. */
START_TEST(what_a_call_does_not_write_is_as_it_was)
{
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    put(AT, (uint32_t[]){0x12345678}, 4);
    put(AT + 64, (uint32_t[]){0x87654321, 0x9abcdef0}, 8);
    ck_assert_int_eq(call(114, (uint32_t)child, AT, 1 /* WNOHANG */, AT + 64), 0);
    ck_assert_uint_eq(word(AT), 0x12345678);
    ck_assert_uint_eq(word(AT + 64), 0x87654321);
    ck_assert_uint_eq(word(AT + 68), 0x9abcdef0);
    kill(child, SIGKILL);
    ck_assert_int_eq(call(114, (uint32_t)child, AT, 0, AT + 64), child);
    ck_assert_uint_eq(word(AT), SIGKILL);
    ck_assert_uint_eq(word(AT + 64), 0);
}
END_TEST

START_TEST(addresses_of_sockets_fill_the_room_there_is)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    put(AT, (uint32_t[]){0x99999999, 1}, 8);
    ck_assert_int_eq(call(286, (uint32_t)ends[0], AT, AT + 4, 0), 0); /* getsockname */
    ck_assert_uint_eq(word(AT), 0x99999900 | AF_UNIX);
    ck_assert_uint_eq(word(AT + 4), 2);
    put(AT + 4, (int32_t[]){-1}, 4);
    ck_assert_int_eq(call(286, (uint32_t)ends[0], AT, AT + 4, 0), -EINVAL);
    put(AT + 4, (uint32_t[]){2}, 4);
    ck_assert_int_eq(call(286, (uint32_t)ends[0], AT + 0x2000 - 1, AT + 4, 0), -EFAULT);
    ck_assert_int_eq(call(286, (uint32_t)ends[0], AT, AT + 0x2000 - 3, 0), -EFAULT);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* The position needs no even register here, and flags come behind it. */
START_TEST(vectors_are_read_from_a_position)
{
    int fd = memfd_create("vector", MFD_CLOEXEC);

    ck_assert_int_eq(pwrite(fd, "abcdef", 6, 0x100000000), 6);
    put(AT, (uint32_t[]){AT + 64, 2, AT + 128, 3}, 16);
    ck_assert_int_eq(call6(361, (uint32_t[]){(uint32_t)fd, AT, 2, 1, 1, 0}), 5); /* preadv */
    ck_assert_int_eq(memcmp(space_at(&process.space, AT + 64), "bc", 2), 0);
    ck_assert_int_eq(memcmp(space_at(&process.space, AT + 128), "def", 3), 0);
    ck_assert_int_eq(call6(392, (uint32_t[]){(uint32_t)fd, AT, 2, 2, 1, 0}), 4); /* preadv2 */
    ck_assert_int_eq(memcmp(space_at(&process.space, AT + 64), "cd", 2), 0);
    ck_assert_int_eq(call6(392, (uint32_t[]){(uint32_t)fd, AT, 2, 2, 1, 0x40000000}), -EOPNOTSUPP);
    close(fd);
}
END_TEST

START_TEST(epoll_events_have_a_gap)
{
    int waiter = epoll_create1(0), ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    put(AT, (uint32_t[]){EPOLLOUT, 0x99999999, 0x11111111, 0x22222222}, 16);
    ck_assert_int_eq(call(251, (uint32_t)waiter, EPOLL_CTL_ADD, (uint32_t)ends[1], AT), 0);
    ck_assert_int_eq(call(252, (uint32_t)waiter, AT + 64, 1, 0), 1);
    ck_assert_uint_eq(word(AT + 64), EPOLLOUT);
    ck_assert_uint_eq(word(AT + 72), 0x11111111);
    ck_assert_uint_eq(word(AT + 76), 0x22222222);
    close(waiter);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(siginfo_keeps_what_its_code_promises)
{
    struct arm_siginfo arm;
    siginfo_t host = {.si_signo = SIGCHLD, .si_code = CLD_EXITED};

    host.si_pid = 4711;
    host.si_uid = 1000;
    host.si_status = 7;
    siginfo_to_arm(&host, &arm);
    ck_assert_int_eq(arm.words[0], 4711); /* at 12: behind signo, errno, code */
    ck_assert_int_eq(arm.words[1], 1000);
    ck_assert_int_eq(arm.words[2], 7);

    host = (siginfo_t){.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
    host.si_addr = (void *)(uintptr_t)0x12345678;
    siginfo_to_arm(&host, &arm);
    ck_assert_uint_eq(arm.words[0], 0x12345678);

    host = (siginfo_t){.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    host.si_pid = 1;
    host.si_value.sival_ptr = (void *)(uintptr_t)0x87654321;
    siginfo_to_arm(&host, &arm);
    ck_assert_uint_eq(arm.words[2], 0x87654321);
    siginfo_from_arm(&arm, &host);
    ck_assert_ptr_eq(host.si_value.sival_ptr, (void *)(uintptr_t)0x87654321);
    ck_assert_int_eq(host.si_code, SI_QUEUE);
}
END_TEST

START_TEST(open_s_four_flags_change_places)
{
    int fd;

    put(AT, "/dev/null", 10);
    ck_assert_int_eq(call(5, AT, 040000, 0, 0), -ENOTDIR); /* O_DIRECTORY */
    put(AT, "/proc/self/fd/0", 16);
    ck_assert_int_eq(call(5, AT, 0100000, 0, 0), -ELOOP); /* O_NOFOLLOW */
    put(AT, "/proc", 6);
    fd = call(5, AT, 040000, 0, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq((uint32_t)call(55, (uint32_t)fd, F_GETFL, 0, 0) & 0340000, 040000);
    close(fd);
    put(AT, "", 1);
    ck_assert_int_eq(call(322, (uint32_t)AT_FDCWD, AT, 0, 0), -ENOENT);
}
END_TEST

START_TEST(values_of_64_bits_begin_at_an_even_register)
{
    int fd = memfd_create("large", MFD_CLOEXEC);
    const uint32_t r[] = {(uint32_t)fd, 0x99999999, 0x23456789, 1, 0, 0, 0, 194};
    struct stat info;

    memcpy(thread.cpu.r, r, sizeof r); /* ftruncate64(fd, 0x123456789) */
    syscall_run(&thread);
    ck_assert_int_eq((int32_t)thread.cpu.r[0], 0);
    ck_assert_int_eq(fstat(fd, &info), 0);
    ck_assert_int_eq(info.st_size, 0x123456789);
    close(fd);
}
END_TEST

START_TEST(every_row_of_the_table_is_found_and_no_other)
{
    unsigned rows = 0;

    for (uint32_t number = 0; number < 0x100000; number++) {
        const struct syscall *row = syscall_find(number);

        if (!row)
            continue;
        rows++;
        ck_assert_uint_eq(row->number, number);
        ck_assert_msg((row->function != NULL) != (row->host >= 0), "%s", row->name);
    }
    ck_assert_uint_gt(rows, 200);
    ck_assert_ptr_null(syscall_find(0xffffffff));
}
END_TEST

/* With wild numbers for every argument, no call may do more than answer. */
START_TEST(wild_arguments_are_only_errors)
{
    static const uint16_t harmless[] = {
        3,   4,   19,  43,  54,  77,  78,  85,  91,  93,  99,  105, 116, 118, 122, 125, 140, 144,
        145, 146, 163, 168, 172, 175, 176, 178, 180, 181, 183, 186, 187, 191, 192, 195, 196, 197,
        205, 209, 217, 219, 220, 221, 226, 229, 238, 239, 240, 242, 250, 251, 252, 257, 263, 264,
        266, 267, 269, 280, 281, 282, 283, 285, 286, 287, 288, 289, 290, 291, 292, 294, 295, 296,
        297, 317, 322, 327, 332, 335, 336, 338, 339, 340, 341, 342, 345, 346, 348, 349, 353, 354,
        355, 359, 361, 362, 374, 384, 391, 397, 403, 410, 411, 412, 413, 414, 422};
    static const uint32_t wild[] = {0,          1,          0xffffffff, 0x7fffffff,  0x80000000,
                                    0xfffffffc, AT,         AT + 1,     AT + 0x1fff, 0xffff0000,
                                    0x10000,    0xfffff000, 1000000};
    char place[] = "/tmp/rarm-wild-XXXXXX", command[64];
    uint32_t seed = 1;

    /* A wild open() may well create a file. */
    ck_assert(mkdtemp(place) && chdir(place) == 0);
    for (unsigned turn = 0; turn < 40000; turn++) {
        uint32_t r[8];

        for (int i = 0; i < 7; i++) {
            seed = seed * 1664525 + 1013904223;
            r[i] = wild[(seed >> 16) % (sizeof wild / sizeof wild[0])];
        }
        r[0] = r[0] < 3 ? 0xffffffff : r[0]; /* not the test's own descriptors */
        r[7] = harmless[turn % (sizeof harmless / sizeof harmless[0])];
        if (r[7] == 291 || r[7] == 192 || r[7] == 163 || r[7] == 91)
            r[3] &= ~0x10u; /* not over our own two pages */
        if (r[7] == 192 || r[7] == 91 || r[7] == 163 || r[7] == 125)
            r[0] = 0xfffff000;
        memcpy(thread.cpu.r, r, sizeof r);
        thread.pending.number = SIGUSR1; /* so that nothing waits */
        syscall_run(&thread);
        ck_assert(space_allows(&process.space, AT, 0x2000, SPACE_READ | SPACE_WRITE));
    }
    snprintf(command, sizeof command, "rm -r %s", place);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* ---- a signal at the wrong moment -------------------------------------------------------- */

#define EFLAGS_TF 0x100

/* Single steps until rip is at the system call instruction; there the signal comes. */
static void on_step(int number, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;

    (void)number;
    (void)info;
    if (context->uc_mcontext.gregs[REG_RIP] != (greg_t)(uintptr_t)wait_end - 2)
        return;
    raise(SIGUSR1); /* blocked until this handler returns */
    context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)EFLAGS_TF;
}

START_TEST(no_signal_is_lost_just_before_a_system_call_waits)
{
    const struct arm_sigaction action = {.handler = 0x10000};
    struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    struct timespec second = {1, 0};
    int64_t result;

    thread_current = &thread;
    ck_assert_int_eq(signal_set_action(&thread, SIGUSR1, &action), 0);
    sigaddset(&step.sa_mask, SIGUSR1);
    sigaction(SIGTRAP, &step, NULL);
    __asm__ volatile("pushf\n orl $0x100, (%%rsp)\n popf" ::: "memory", "cc");
    result = host_call_waiting(&thread, SYS_nanosleep, host_pointer(&second));
    ck_assert_int_eq(thread.pending.number, SIGUSR1);
    ck_assert_int_eq(result, -ERESTARTSYS_);
    ck_assert_uint_eq(thread.cpu.interrupt, 1);
    /* And with the note taken, none begins at all. */
    result = host_call_waiting(&thread, SYS_pause, 0);
    ck_assert_int_eq(result, -ERESTARTSYS_);
    thread_current = NULL;
}
END_TEST

/* ---- paths ------------------------------------------------------------------------------ */

static char root[] = "/tmp/rarm-root-XXXXXX";

static const char *host_of(const char *path, bool follow)
{
    static char host[PATH_MAX];

    ck_assert_int_eq(path_to_host(&process, path, follow, host), 0);
    return strncmp(host, root, strlen(root)) == 0 ? host + strlen(root) : host;
}

START_TEST(paths_are_the_sysroot_s_where_it_has_them)
{
    char command[512];

    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(command, sizeof command,
             "cd %s && mkdir -p usr/lib a/b && touch usr/lib/x a/b/f && ln -s usr/lib lib &&"
             "ln -s /usr/lib/x abs && ln -s ../../../../etc out && ln -s loop loop",
             root);
    ck_assert_int_eq(system(command), 0);
    ck_assert_str_eq(host_of("/usr/lib/x", true), "/usr/lib/x"); /* no sysroot yet: the host's */
    process.options.sysroot = root;
    ck_assert_str_eq(host_of("/lib/x", true), "/usr/lib/x");
    ck_assert_str_eq(host_of("/lib", false), "/lib");
    ck_assert_str_eq(host_of("/abs", true), "/usr/lib/x"); /* as after chroot() */
    ck_assert_str_eq(host_of("/abs", false), "/abs");
    ck_assert_str_eq(host_of("/a/b/../b/./f", true), "/a/b/f");
    ck_assert_str_eq(host_of("/../../a/b/f", true), "/a/b/f"); /* ".." does not climb out */
    ck_assert_str_eq(host_of("/a/b/new", true), "/a/b/new");   /* the host's, by coincidence */
    ck_assert_str_eq(host_of("/etc/passwd", true), "/etc/passwd");
    ck_assert_str_eq(host_of("/out/passwd", true), "/out/passwd"); /* no etc below the root */
    ck_assert_str_eq(host_of("/loop", true), "/loop");
    ck_assert_str_eq(host_of("relative", true), "relative");
    ck_assert_str_eq(host_of("/", true), "/");
    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* ---- the helper page --------------------------------------------------------------------- */

START_TEST(helpers_answer_and_fault)
{
    struct arm_stop stop;

    ck_assert_int_eq(helper_map(&process.space), 0);
    thread.cpu.r[ARM_LR] = 0x30001;
    thread.cpu.r[ARM_PC] = HELPER_CMPXCHG;
    put_word(AT, 5);
    thread.cpu.r[0] = 5;
    thread.cpu.r[1] = 6;
    thread.cpu.r[2] = AT;
    ck_assert(helper_call(&thread.cpu, &stop));
    ck_assert_uint_eq(word(AT), 6);
    ck_assert(thread.cpu.r[0] == 0 && thread.cpu.c == 1);
    ck_assert(thread.cpu.r[ARM_PC] == 0x30000 && thread.cpu.thumb);

    thread.cpu.r[ARM_PC] = HELPER_CMPXCHG;
    thread.cpu.r[0] = 5;
    ck_assert(helper_call(&thread.cpu, &stop));
    ck_assert(word(AT) == 6 && thread.cpu.r[0] != 0 && thread.cpu.c == 0);

    thread.cpu.r[ARM_PC] = HELPER_CMPXCHG;
    thread.cpu.r[2] = AT + 0x2000;
    ck_assert(!helper_call(&thread.cpu, &stop));
    ck_assert(stop.reason == ARM_FAULT && stop.address == AT + 0x2000);
    ck_assert_uint_eq(thread.cpu.r[ARM_PC], HELPER_CMPXCHG);
    thread.cpu.r[2] = AT + 2;
    ck_assert(!helper_call(&thread.cpu, &stop) && stop.unaligned);
    thread.cpu.r[ARM_PC] = 0xffff0100;
    ck_assert(!helper_call(&thread.cpu, &stop) && stop.reason == ARM_UNDEFINED);
    ck_assert_uint_eq(word(HELPER_VERSION), 5);
    ck_assert(!space_allows(&process.space, 0xffff0000, 1, SPACE_WRITE));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("convert");
    TCase *tests = tcase_create("convert");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, stat64_is_104_bytes_with_the_inode_last);
    tcase_add_test(tests, results_do_not_reach_past_the_guest_s_memory);
    tcase_add_test(tests, times_of_32_bits_keep_their_sign);
    tcase_add_test(tests, vectors_are_bounded);
    tcase_add_test(tests, vectors_are_read_from_a_position);
    tcase_add_test(tests, addresses_of_sockets_fill_the_room_there_is);
    tcase_add_test(tests, what_a_call_does_not_write_is_as_it_was);
    tcase_add_test(tests, structures_of_longs_are_half_as_large);
    tcase_add_test(tests, epoll_events_have_a_gap);
    tcase_add_test(tests, siginfo_keeps_what_its_code_promises);
    tcase_add_test(tests, open_s_four_flags_change_places);
    tcase_add_test(tests, values_of_64_bits_begin_at_an_even_register);
    tcase_add_test(tests, every_row_of_the_table_is_found_and_no_other);
    tcase_add_test(tests, wild_arguments_are_only_errors);
    tcase_add_test(tests, no_signal_is_lost_just_before_a_system_call_waits);
    tcase_add_test(tests, paths_are_the_sysroot_s_where_it_has_them);
    tcase_add_test(tests, helpers_answer_and_fault);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
