/*
 * linux_gdb.c: gdb's protocol with Debian's kernel on two processors: what a debugger sees of
 * them, and that they live on. In the lab there are no breakpoints; kvm_gdb.c has those.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "harness/harness.h"

#define KERNEL "build/kernels/cloud/vmlinuz"
#define INITRD "build/guest/initramfs.cpio"
#define QUIET  "console=ttyS0 quiet panic=-1 cryptomgr.notests "
#define PROMPT "guest:/root# "
#define BOOT   90.0

static struct terminal terminal;

/* Of the socket: not where the tree is, which in the lab is a file system without sockets. */
static char folder[] = "/tmp/linux_gdb.XXXXXX", path[40], place[50], target[60];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(place, sizeof place, "unix:%s", path);
    snprintf(target, sizeof target, "target remote %s", path);
}

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void expect_answer(const char *command, const char *text)
{
    char line[128];

    terminal_type(&terminal, command);
    terminal_type(&terminal, "\r");
    snprintf(line, sizeof line, "\n%s\r", text);
    terminal_expect(&terminal, line, 30);
    terminal_expect(&terminal, PROMPT, 30);
}

/* What gdb says when it is told these, an "-ex" each. */
static struct program gdb(const char *const commands[])
{
    const char *argv[64] = {"gdb", "-nx", "-batch", "-ex", target};
    unsigned count = 5;

    for (unsigned i = 0; commands[i]; i++) {
        argv[count++] = "-ex";
        argv[count++] = commands[i];
    }
    return program_run(argv, NULL, 60);
}

static void expect(struct program *ran, const char *text)
{
    bool there = strstr(ran->out, text) || strstr(ran->err, text); /* the monitor's is there */

    ck_assert_msg(there, "no \"%s\" in\n%s%s", text, ran->out, ran->err);
}

/* Held before its first instruction; stepped; let go; stopped in the middle; let go again. */
START_TEST(a_kernel_is_held_stepped_and_looked_at)
{
    const char *argv[] = {harness_built("vmm"),
                          "-kernel",
                          KERNEL,
                          "-initrd",
                          INITRD,
                          "-append",
                          QUIET "nokaslr",
                          "-smp",
                          "2",
                          "-gdb",
                          place,
                          "-S",
                          NULL};
    static const char *const at_the_start[] = {"stepi",        "print/x $efer", "print/x $cr4",
                                               "info threads", "detach",        NULL};
    static const char *const in_the_middle[] = {"info threads",
                                                "print/x $efer & 0xd01",
                                                "print $_thread",
                                                "thread 2",
                                                "print/x $cr3 != 0",
                                                "x/1xb 0xffffffff81000000",
                                                "monitor info cpus",
                                                "thread 1",
                                                "stepi",
                                                "stepi",
                                                "print $rip != 0",
                                                "set $before = $rsp",
                                                "set $rsp = 0x1234",
                                                "print/x $rsp",
                                                "set $rsp = $before",
                                                "print $k_gs_base >= 0",
                                                "x/1xb 0xfee00000",
                                                "detach",
                                                NULL};
    struct program ran;

    terminal_start(&terminal, argv);
    for (unsigned i = 0; i < 200 && access(path, F_OK) < 0; i++)
        usleep(50000);
    ran = gdb(at_the_start);
    expect(&ran, "= 0x500"); /* long mode, of the boot protocol */
    expect(&ran, "= 0x20");
    expect(&ran, "CPU#0, running");
    expect(&ran, "CPU#1, not started");
    program_free(&ran);

    terminal_expect(&terminal, PROMPT, BOOT);
    expect_answer("nproc", "2");
    ran = gdb(in_the_middle);
    expect(&ran, "CPU#1, ");
    expect(&ran, "= 0xd01"); /* SCE, LME, LMA, NXE: Linux's own */
    expect(&ran, "0xffffffff81000000:\t0x");
    expect(&ran, "CPU #1: APIC id 1, rip 0x");
    expect(&ran, "= 0x1234");
    expect(&ran, "detached");
    program_free(&ran);
    expect_answer("grep -c ^processor /proc/cpuinfo", "2");
    expect_answer("taskset -c 1 echo alive", "alive");
    terminal_type(&terminal, "poweroff\r");
    ck_assert_int_eq(terminal_wait(&terminal, 60), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

/* NULL if all is there, else why not. */
static const char *no_linux(void)
{
    if (harness_no_kvm())
        return harness_no_kvm();
    if (access(KERNEL, R_OK) < 0)
        return "no " KERNEL ": common/kernel cloud fetches it";
    if (access(INITRD, R_OK) < 0)
        return "no " INITRD ": chapters/07-linux-boot/initramfs builds it";
    if (system("command -v gdb >/dev/null") != 0)
        return "no gdb: common/deps test installs it";
    return NULL;
}

int main(void)
{
    Suite *suite = suite_create("07 linux and a debugger");
    TCase *tests = tcase_create("gdb");

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_set_timeout(tests, 4 * BOOT);
    harness_add(tests, a_kernel_is_held_stepped_and_looked_at, no_linux());
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
