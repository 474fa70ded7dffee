/*
 * kvm_isolation.c: what a VMM that runs a guest can still do to its host, seen from outside:
 * by /proc, by strace, by its exit status. Guests of a few instructions will do. Long, because
 * each promise of book/threat-model.md that needs a whole VMM is held here.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "07-linux-boot/sandbox.h"
#include "07-linux-boot/vmm_guest.h"
#include "common/bits.h"

#define LIMIT 30.0 /* seconds */
#define RAM   "64" /* MiB */

static void make_images(void)
{
    folder_make();
    make_sparse("disk.img", 1 << 20);
    make_sparse("one.iso", 1 << 16);
    make_sparse("two.iso", 1 << 17);
}

/* Before, the terminal itself would echo; and all that comes before the guest is done. */
static void wait_until_raw(const struct terminal *terminal)
{
    struct termios now;

    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(tcgetattr(terminal->fd, &now), 0);
        if (!(now.c_lflag & ICANON))
            return;
        usleep(100000);
    }
    ck_abort_msg("the terminal never became raw");
}

/* It runs: 'e' echoes what is typed. */
static void start_echo(struct terminal *terminal, const char *const options[])
{
    hostile_start(terminal, "e", options);
    wait_until_raw(terminal);
    terminal_type(terminal, "hello");
    terminal_expect(terminal, "hello", LIMIT);
}

#define START_ECHO(terminal, ...) start_echo(terminal, OPTIONS("-m", RAM, __VA_ARGS__))
#define DISK                      "file=FOLDER/disk.img,format=raw"
#define DISC                      "file=FOLDER/one.iso,if=scsi,media=cdrom,id=cd0"

static void end_echo(struct terminal *terminal)
{
    terminal_type(terminal, "q");
    terminal_expect(terminal, "alive", LIMIT);
    ck_assert_int_eq(terminal_wait(terminal, LIMIT), STATUS_OFF);
    terminal_free(terminal);
}

/* ---- /proc ---- */

/* The line of a file of /proc that begins with key, without it; "" if there is none. */
static const char *line_of(const char *path, const char *key)
{
    static char line[300];
    FILE *status = fopen(path, "r");
    size_t length = strlen(key);

    ck_assert_msg(status != NULL, "%s", path);
    while (fgets(line, sizeof line, status))
        if (strncmp(line, key, length) == 0) {
            fclose(status);
            line[strcspn(line, "\n")] = '\0';
            return line + length + strspn(line + length, " \t");
        }
    fclose(status);
    return "";
}

static void expect_line(const char *path, const char *key, const char *value)
{
    const char *is = line_of(path, key);

    ck_assert_msg(strcmp(is, value) == 0, "%s: %s %s, not %s", path, key, is, value);
}

/* Calls look for each thread; how many there were. */
static unsigned each_thread(int pid, void (*look)(const char *folder))
{
    char tasks[60], path[400];
    struct dirent *entry;
    unsigned count = 0;
    DIR *list;

    snprintf(tasks, sizeof tasks, "/proc/%d/task", pid);
    list = opendir(tasks);
    ck_assert_ptr_nonnull(list);
    while ((entry = readdir(list)))
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s/status", tasks, entry->d_name);
            look(path);
            count++;
        }
    closedir(list);
    return count;
}

static void expect_no_privileges(const char *path)
{
    static const char none[] = "0000000000000000";
    static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"};

    for (unsigned i = 0; i < ARRAY_SIZE(sets); i++)
        expect_line(path, sets[i], none);
    if (geteuid() == 0) /* nobody else may take it away from itself */
        expect_line(path, "CapBnd:", none);
    expect_line(path, "NoNewPrivs:", "1");
    expect_line(path, "Seccomp:", "2");
}

START_TEST(no_thread_has_a_capability_or_is_without_a_filter)
{
    struct terminal terminal;
    char path[60];

    START_ECHO(&terminal, "-smp", "2", "-nic", "user", "-drive", DISK);
    /* main, two processors, the user network, the card's and the disk's */
    ck_assert_uint_ge(each_thread(terminal.pid, expect_no_privileges), 5);
    snprintf(path, sizeof path, "/proc/%d/limits", terminal.pid);
    ck_assert_int_eq(strncmp(line_of(path, "Max core file size"), "0 ", 2), 0);
    ck_assert_int_le(atoi(line_of(path, "Max open files")), 4096);
    end_echo(&terminal);
}
END_TEST

static unsigned count_entries(const char *path)
{
    DIR *list = opendir(path);
    struct dirent *entry;
    unsigned count = 0;

    ck_assert_msg(list != NULL, "%s", path);
    while ((entry = readdir(list)))
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

static bool same_namespace(int pid, const char *kind)
{
    char theirs_path[60], ours_path[60], theirs[60] = "", ours[60] = "";

    snprintf(theirs_path, sizeof theirs_path, "/proc/%d/ns/%s", pid, kind);
    snprintf(ours_path, sizeof ours_path, "/proc/self/ns/%s", kind);
    ck_assert_int_gt(readlink(theirs_path, theirs, sizeof theirs - 1), 0);
    ck_assert_int_gt(readlink(ours_path, ours, sizeof ours - 1), 0);
    return strcmp(theirs, ours) == 0;
}

START_TEST(a_jail_has_no_file_and_no_network)
{
    struct terminal terminal;
    char root[60], mounts[60];

    START_ECHO(&terminal, "-jail");
    snprintf(root, sizeof root, "/proc/%d/root/", terminal.pid);
    ck_assert_uint_eq(count_entries(root), 0);
    snprintf(mounts, sizeof mounts, "/proc/%d/mounts", terminal.pid);
    ck_assert_ptr_nonnull(strstr(line_of(mounts, "jail / tmpfs"), "ro,"));
    ck_assert(!same_namespace(terminal.pid, "mnt") && !same_namespace(terminal.pid, "net"));
    ck_assert(!same_namespace(terminal.pid, "ipc") && !same_namespace(terminal.pid, "uts"));
    end_echo(&terminal);
}
END_TEST

/* With a user network the host's is needed, and its list of name servers. */
START_TEST(a_jail_with_a_user_network_has_one_file)
{
    struct terminal terminal;
    char root[60];

    START_ECHO(&terminal, "-jail", "-nic", "user");
    snprintf(root, sizeof root, "/proc/%d/root/", terminal.pid);
    ck_assert_uint_eq(count_entries(root), access("/etc/resolv.conf", R_OK) == 0);
    ck_assert(!same_namespace(terminal.pid, "mnt") && same_namespace(terminal.pid, "net"));
    end_echo(&terminal);
}
END_TEST

START_TEST(a_vmm_becomes_another_user_in_another_root)
{
    struct terminal terminal;
    char status[60], root[60];

    START_ECHO(&terminal, "-runas", "4711:4712", "-chroot", folder);
    snprintf(status, sizeof status, "/proc/%d/status", terminal.pid);
    expect_line(status, "Uid:", "4711\t4711\t4711\t4711");
    expect_line(status, "Gid:", "4712\t4712\t4712\t4712");
    expect_line(status, "Groups:", "");
    snprintf(root, sizeof root, "/proc/%d/root/one.iso", terminal.pid);
    ck_assert_int_eq(access(root, F_OK), 0);
    end_echo(&terminal);
}
END_TEST

START_TEST(who_cannot_be_found_is_refused)
{
    static const struct {
        const char *options[3];
        const char *says;
    } rows[] = {
        {{"-runas", "nobody-of-this-name"}, "-runas nobody-of-this-name: no such user in"},
        {{"-runas", "1:x"}, "-runas 1:x: not a user's name, and not UID:GID"},
        {{"-runas", "1"}, "-runas 1: not a user's name, and not UID:GID"},
        {{"-chroot", "/nonexistent"}, "-chroot /nonexistent: No such file or directory"},
        {{"-sandbox", "on,discs=/nonexistent"}, "discs=/nonexistent: No such file or directory"},
        {{"-sandbox", "on,discs=/"}, "discs=/: that is every file there is"},
        {{"-sandbox", "on,spawn=allow"}, "-sandbox on,spawn=allow: spawn=allow: not one of deny"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct arguments arguments;

        if (strcmp(rows[i].options[0], "-sandbox") == 0 && !sandbox_is_possible())
            continue;
        hostile_arguments(&arguments, "h", OPTIONS(rows[i].options[0], rows[i].options[1]));
        e2e_run(arguments.list, STATUS_REFUSED, "", rows[i].says, "the host cannot do it",
                "07-linux-boot");
    }
}
END_TEST

/* ---- the clerk ---- */

static void tell_monitor(struct terminal *terminal, const char *line, const char *answer)
{
    terminal_type(terminal, line);
    terminal_expect(terminal, answer, LIMIT);
    terminal_expect(terminal, "(vmm)", LIMIT);
}

START_TEST(discs_come_from_one_folder_only)
{
    struct terminal terminal;
    char line[300];

    ck_assert_int_eq(symlink("/etc/passwd", file("link.iso")), 0);
    START_ECHO(&terminal, "-drive", DISC, "-sandbox", "on,discs=FOLDER");
    terminal_type(&terminal, "\001c");
    terminal_expect(&terminal, "(vmm)", LIMIT);
    tell_monitor(&terminal, "change cd0 /etc/passwd\r", "the sandbox opens no file but below");
    snprintf(line, sizeof line, "change cd0 %s\r", file("link.iso"));
    tell_monitor(&terminal, line, "the sandbox opens no file but below");
    snprintf(line, sizeof line, "change cd0 %s/../../etc/passwd\r", folder);
    tell_monitor(&terminal, line, "the sandbox opens no file but below");
    snprintf(line, sizeof line, "change cd0 %s\r", file("three.iso"));
    tell_monitor(&terminal, line, "No such file or directory");
    snprintf(line, sizeof line, "change cd0 %s\r", file("two.iso"));
    tell_monitor(&terminal, line, "two.iso");
    tell_monitor(&terminal, "info block\r", "two.iso (raw, read-only), 131072 bytes");
    terminal_type(&terminal, "quit\r");
    ck_assert_int_eq(terminal_wait(&terminal, LIMIT), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

/* What the monitor shows. Which numbers grow when is for the devices' own tests. */
START_TEST(losses_are_counted_and_shown)
{
    struct terminal terminal;

    START_ECHO(&terminal, "-drive", DISK, "-device", "virtio-rng-pci,id=r");
    terminal_type(&terminal, "\001c");
    terminal_expect(&terminal, "(vmm)", LIMIT);
    terminal_type(&terminal, "info virtio\r");
    terminal_expect(&terminal,
                    "virtio-blk: not live, status 0x0; rules broken 0, failed requests 0, dropped "
                    "frames 0",
                    LIMIT);
    tell_monitor(&terminal, "", "virtio-rng, id r: not live");
    terminal_type(&terminal, "quit\r");
    ck_assert_int_eq(terminal_wait(&terminal, LIMIT), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

/* Also after SIGKILL, when nobody else could. */
START_TEST(the_clerk_removes_what_a_killed_vmm_leaves)
{
    struct terminal terminal;

    START_ECHO(&terminal, "-monitor", "unix:FOLDER/socket,server=on,wait=off", "-pidfile",
               "FOLDER/pid");
    ck_assert(is_there("pid") && is_there("socket"));
    kill(terminal.pid, SIGKILL);
    ck_assert_int_eq(terminal_wait(&terminal, LIMIT), 128 + SIGKILL);
    for (unsigned i = 0; i < 50 && is_there("socket"); i++)
        usleep(100000);
    ck_assert(!is_there("pid") && !is_there("socket"));
    terminal_free(&terminal);
}
END_TEST

/* The VMM cannot connect any more: the clerk, outside of jail and sandbox, does so for it. */
START_TEST(a_client_in_a_jail_calls_again)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct terminal terminal;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), server;
    char got[8] = "";

    strcpy(address.sun_path, file("server"));
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    HOSTILE_START(&terminal, "e", "-chardev", "socket,id=c,path=FOLDER/server,reconnect=1",
                  "-serial", "chardev:c", "-jail");
    for (unsigned i = 0; i < 2; i++) {
        server = accept(listener, NULL, NULL);
        ck_assert_int_eq(write(server, "hello", 5), 5);
        ck_assert_int_eq(recv(server, got, 5, MSG_WAITALL), 5);
        ck_assert_str_eq(got, "hello");
        if (i == 0)
            close(server);
    }
    ck_assert_int_eq(write(server, "q", 1), 1);
    ck_assert_int_eq(terminal_wait(&terminal, LIMIT), STATUS_OFF);
    terminal_free(&terminal);
    close(server);
    close(listener);
}
END_TEST

/* Hundreds of machines, one after the other, in one process that can open nothing. */
START_TEST(a_reset_opens_nothing_again)
{
    struct terminal terminal;

    HOSTILE_START(&terminal, "k", "-smp", "2", "-nic", "user", "-drive", DISK, "-drive", DISC,
                  "-device", "virtio-balloon-pci", "-device", "virtio-serial-pci", "-serial",
                  "mon:stdio", "-serial", "file:FOLDER/serial.log");
    ck_assert(!terminal_sees(&terminal, "vmm:", 3));
    terminal_type(&terminal, "\001x");
    ck_assert_int_eq(terminal_wait(&terminal, LIMIT), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

/* A daemon in a jail still finds its pidfile at the end: the clerk does. */
START_TEST(a_daemon_in_a_jail_leaves_nothing_behind)
{
    struct program ran = HOSTILE_RUN("e", NULL, "-daemonize", "-jail", "-serial", "null",
                                     "-pidfile", "FOLDER/pid");
    FILE *pidfile = fopen(file("pid"), "r");
    int pid = 0;

    ck_assert_msg(ran.status == 0, "status %d: %s", ran.status, ran.err);
    program_free(&ran);
    ck_assert_ptr_nonnull(pidfile);
    ck_assert_int_eq(fscanf(pidfile, "%d", &pid), 1);
    fclose(pidfile);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    for (unsigned i = 0; i < 100 && is_there("pid"); i++)
        usleep(100000);
    ck_assert(!is_there("pid"));
}
END_TEST

/* ---- how it ends ---- */

static const struct {
    const char *how, *letter, *option, *typed;
    int signal, status;
} endings[] = {
    {"the guest halts for good", "h", NULL, NULL, 0, STATUS_OFF},
    {"the user quits", "e", NULL, "\001x", 0, STATUS_OFF},
    {"the guest resets", "9", "-no-reboot", NULL, 0, STATUS_RESET},
    {"a triple fault", "t", NULL, NULL, 0, STATUS_CRASH},
    {"a jump into nothing", "j", NULL, NULL, 0, STATUS_STUCK},
    {"a forbidden call", "e", NULL, NULL, SIGSYS, STATUS_FORBIDDEN},
    {"SIGTERM", "e", NULL, NULL, SIGTERM, 128 + SIGTERM},
    {"SIGINT", "e", NULL, NULL, SIGINT, 128 + SIGINT},
    {"SIGHUP", "e", NULL, NULL, SIGHUP, 128 + SIGHUP},
    {"SIGQUIT", "e", NULL, NULL, SIGQUIT, 128 + SIGQUIT},
    {"SIGSEGV", "e", NULL, NULL, SIGSEGV, 128 + SIGSEGV},
};

START_TEST(each_end_has_its_status_and_gives_the_terminal_back)
{
    struct terminal terminal;
    struct termios now;
    int status;

    if (endings[_i].signal == SIGSYS && !sandbox_is_possible())
        return; /* nothing is forbidden */
    HOSTILE_START(&terminal, endings[_i].letter, endings[_i].option);
    if (endings[_i].typed || endings[_i].signal)
        wait_until_raw(&terminal);
    if (endings[_i].typed)
        terminal_type(&terminal, endings[_i].typed);
    if (endings[_i].signal)
        kill(terminal.pid, endings[_i].signal);
    terminal_sees(&terminal, "never", 0.2); /* reads what it prints */
    status = terminal_wait(&terminal, LIMIT);
    ck_assert_msg(status == endings[_i].status, "%s: status %d, not %d; %s", endings[_i].how,
                  status, endings[_i].status, terminal.screen);
    ck_assert_int_eq(tcgetattr(terminal.fd, &now), 0);
    ck_assert_msg((now.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO), "%s: the terminal is raw",
                  endings[_i].how);
    terminal_free(&terminal);
}
END_TEST

/* ---- what it takes ---- */

/* Bytes in memory that are not the guest's: mappings of another size than its RAM. */
static uint64_t resident(int pid)
{
    char path[60], line[300];
    uint64_t total = 0, rss, start, end, size = 0;
    FILE *maps;

    snprintf(path, sizeof path, "/proc/%d/smaps", pid);
    maps = fopen(path, "r");
    while (maps && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            size = end - start;
        else if (sscanf(line, "Rss: %lu", &rss) == 1 && size < (uint64_t)atoi(RAM) * MIB / 2)
            total += rss * KIB;
    }
    if (maps)
        fclose(maps);
    return total;
}

/* hostile.asm: output nobody reads; every port; memory that is not there; resets. */
static const char *const floods[] = {"o", "p", "m", "k", "i"};

START_TEST(no_flood_takes_more_than_5_MiB_beyond_the_guests_ram)
{
    struct terminal terminal;

    HOSTILE_START(&terminal, floods[_i], NULL);
    for (unsigned sample = 0; sample < 15; sample++) {
        uint64_t now = resident(terminal.pid);

        ck_assert_msg(now <= 5 * MIB, "flood \"%s\": %lu KiB", floods[_i], now / KIB);
        usleep(100000);
    }
    terminal_free(&terminal);
}
END_TEST

/* ---- strace ---- */

/* A line of a system call that the VMM should not make once the guest runs. */
static bool is_promised_never(const char *line)
{
    static const char *const calls[] = {" open(",   " openat(", " openat2(", " creat(",
                                        " socket(", " execve(", " execveat("};

    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
        if (strstr(line, calls[i]))
            return true;
    return (strstr(line, " mmap(") || strstr(line, " mprotect(")) && strstr(line, "PROT_EXEC");
}

START_TEST(after_the_first_instruction_nothing_is_opened_started_or_made_executable)
{
    const char *argv[40] = {
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=open,openat,openat2,creat,socket,execve,execveat,mmap,mprotect,ioctl",
        "-o",
        file("strace")};
    struct arguments arguments;
    struct program ran;
    char line[1000];
    bool runs = false;
    FILE *calls;

    hostile_arguments(&arguments, "p",
                      OPTIONS("-m", RAM, "-smp", "2", "-no-reboot", "-stats", "-device",
                              "virtio-rng-pci", "-drive", DISK));
    memcpy(argv + 7, arguments.list, 30 * sizeof argv[0]);
    ran = program_run(argv, NULL, 3 * LIMIT);
    ck_assert_msg(ran.status == STATUS_OFF, "status %d: %s", ran.status, ran.err);
    program_free(&ran);
    calls = fopen(file("strace"), "r");
    ck_assert_ptr_nonnull(calls);
    while (fgets(line, sizeof line, calls)) {
        ck_assert_msg(!runs || !is_promised_never(line), "%s", line);
        runs |= strstr(line, "KVM_RUN") != NULL;
    }
    fclose(calls);
    ck_assert(runs);
}
END_TEST

static Suite *isolation_suite(void)
{
    Suite *suite = suite_create("07 isolation");
    TCase *tests = tcase_create("isolation");
    const char *no_kvm = harness_no_kvm(), *no_sandbox = no_kvm, *no_root = no_kvm;
    const char *no_strace;

    if (!no_kvm && !sandbox_is_possible())
        no_sandbox = "a build with sanitizers opens files";
    if (!no_kvm && geteuid() != 0)
        no_root = "only root may become somebody else";
    no_strace = no_sandbox;
    if (!no_strace && access("/usr/bin/strace", X_OK) != 0)
        no_strace = "no strace: common/deps test installs it";
    tcase_add_checked_fixture(tests, make_images, folder_remove);
    tcase_set_timeout(tests, 5 * LIMIT);
    harness_add(tests, no_thread_has_a_capability_or_is_without_a_filter, no_sandbox);
    harness_add(tests, a_jail_has_no_file_and_no_network, no_sandbox);
    harness_add(tests, a_jail_with_a_user_network_has_one_file, no_sandbox);
    harness_add(tests, a_vmm_becomes_another_user_in_another_root,
                no_sandbox ? no_sandbox : no_root);
    harness_add(tests, who_cannot_be_found_is_refused, no_root);
    harness_add(tests, discs_come_from_one_folder_only, no_sandbox);
    harness_add(tests, a_reset_opens_nothing_again, no_sandbox);
    harness_add(tests, a_daemon_in_a_jail_leaves_nothing_behind, no_sandbox);
    harness_add(tests, losses_are_counted_and_shown, no_kvm);
    harness_add(tests, the_clerk_removes_what_a_killed_vmm_leaves, no_sandbox);
    harness_add(tests, a_client_in_a_jail_calls_again, no_sandbox);
    if (no_kvm)
        printf("SKIP each_end_has_its_status_and_gives_the_terminal_back: %s\n", no_kvm);
    else
        tcase_add_loop_test(tests, each_end_has_its_status_and_gives_the_terminal_back, 0,
                            ARRAY_SIZE(endings));
    if (no_sandbox)
        printf("SKIP no_flood_takes_more_than_5_MiB_beyond_the_guests_ram: %s\n", no_sandbox);
    else
        tcase_add_loop_test(tests, no_flood_takes_more_than_5_MiB_beyond_the_guests_ram, 0,
                            ARRAY_SIZE(floods));
    harness_add(tests, after_the_first_instruction_nothing_is_opened_started_or_made_executable,
                no_strace);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(isolation_suite());
}
