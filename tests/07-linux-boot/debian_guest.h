/*
 * debian_guest.h: Debian as its packages make it, from chapters/07-linux-boot/guest-disk,
 * in the VMM on a terminal: started, logged into, asked, and powered off.
 *
 *     guest_start(&guest, "cloud", extra);       to the login and a shell of root's
 *     text = guest_does(&guest, "uname -r", 10); what it printed; its status must be 0
 *     guest_power_off(&guest);                   status 0, and nothing wrong in the image
 *     guest_free(&guest);
 *
 * Each guest writes to an overlay of its own, so the disk stays as it was built. The
 * tests of a guest run in one process (CK_FORK=no): it is one guest's life.
 */
#ifndef TESTS_07_DEBIAN_GUEST_H
#define TESTS_07_DEBIAN_GUEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "harness/harness.h"

#define GUEST_DISK "build/guest-disk.qcow2"

/*
 * Seconds from the start to the login; some forty are usual in the lab, where each of
 * systemd's hundreds of processes is emulated, and twice that on a busy computer.
 */
#define GUEST_BOOT 240.0

struct guest {
    struct terminal terminal;
    char folder[40]; /* its files on the host: disk.qcow2, and what a test adds */
    unsigned asked;
};

/* These guests take minutes, and pass through no line that linux_virtio.c's do not. */
#ifdef __SANITIZE_ADDRESS__
#define GUEST_SANITIZED true
#else
#define GUEST_SANITIZED false
#endif

/* NULL if the kernel of this name and the disk are there, else why not. */
static inline const char *guest_missing(const char *kernel)
{
    char path[80];

    snprintf(path, sizeof path, "build/guest-disk/%s/initrd.img", kernel);
    if (harness_no_kvm())
        return harness_no_kvm();
    if (GUEST_SANITIZED)
        return "smaller guests run under the sanitizers";
    if (access(GUEST_DISK, R_OK) != 0)
        return "no " GUEST_DISK ": make guest-disk builds it";
    if (access(path, R_OK) != 0)
        return "the package sources had no such kernel when " GUEST_DISK " was built";
    return NULL;
}

/* Runs a tool of the host, which must succeed and say nothing is wrong. */
static inline void guest_tool(const char *const argv[])
{
    struct program program = program_run(argv, NULL, 120);

    ck_assert_msg(program.status == 0, "%s %s: status %d\n%s%s", argv[0], argv[1], program.status,
                  program.out, program.err);
    program_free(&program);
}

/* "FOLDER/name", in static storage, four at a time. */
static inline const char *guest_file(const struct guest *guest, const char *name)
{
    static char paths[4][80];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", guest->folder, name);
    return path;
}

static inline void guest_make_folder(struct guest *guest)
{
    char *base = realpath(GUEST_DISK, NULL);

    strcpy(guest->folder, "/tmp/debian.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(guest->folder));
    guest_tool((const char *[]){harness_built("vmm-img"), "create", "-f", "qcow2", "-b", base, "-F",
                                "qcow2", guest_file(guest, "disk.qcow2"), NULL});
    free(base);
}

/*
 * Types a command and waits for its end. What it printed is valid until the next one;
 * another status than 0 fails the test. The line typed is not echoed, and no number
 * comes twice, so nothing left on the screen is taken for the answer.
 */
static inline const char *guest_does(struct guest *guest, const char *command, double seconds)
{
    struct terminal *terminal = &guest->terminal;
    char mark[40], line[1000];
    size_t from;

    snprintf(mark, sizeof mark, "of answer %u", ++guest->asked);
    snprintf(line, sizeof line, "echo begin %s; %s; echo end $? %s\r", mark, command, mark);
    terminal_type(terminal, line);
    snprintf(line, sizeof line, "begin %s\r\n", mark);
    terminal_expect(terminal, line, seconds);
    from = terminal->matched;
    snprintf(line, sizeof line, " %s\r\n", mark);
    terminal_expect(terminal, line, seconds);
    snprintf(line, sizeof line, "end 0 %s\r\n", mark);
    if (!strstr(terminal->screen + from, line))
        ck_abort_msg("\n  in the guest failed: %s\n----\n%.2000s\n----\n", command,
                     terminal->screen + from);
    return terminal->screen + from;
}

/* The same, and the answer must have this in it. */
static inline void guest_says(struct guest *guest, const char *command, const char *expected,
                              double seconds)
{
    const char *answer = guest_does(guest, command, seconds);

    if (!strstr(answer, expected))
        ck_abort_msg("\n  in the guest, %s\n  does not say \"%s\":\n----\n%.2000s\n----\n", command,
                     expected, answer);
}

/* Boots build/guest-disk/KERNEL to a shell. more: further options of the VMM, to a NULL. */
static inline void guest_start(struct guest *guest, const char *kernel, const char *const more[])
{
    char image[80], initrd[80], drive[120];
    const char *argv[40] = {
        harness_built("vmm"),
        "-kernel",
        image,
        "-initrd",
        initrd,
        "-append",
        "console=ttyS0 root=LABEL=guest quiet panic=-1 cryptomgr.notests",
        "-drive",
        drive,
        "-smp",
        "2",
        "-m",
        "512",
        "-no-reboot",
    };
    unsigned count = 14;

    snprintf(image, sizeof image, "build/guest-disk/%s/vmlinuz", kernel);
    snprintf(initrd, sizeof initrd, "build/guest-disk/%s/initrd.img", kernel);
    snprintf(drive, sizeof drive, "file=%s,format=qcow2,if=virtio",
             guest_file(guest, "disk.qcow2"));
    for (unsigned i = 0; more && more[i]; i++)
        argv[count++] = more[i];

    terminal_start(&guest->terminal, argv);
    terminal_expect(&guest->terminal, "guest login: ", GUEST_BOOT);
    terminal_type(&guest->terminal, "root\r");
    terminal_expect(&guest->terminal, "root@guest:~#", 60);
    /* A shell that edits no lines, and a line that is not echoed. */
    terminal_type(&guest->terminal, "TERM=dumb exec bash --norc --noediting\r");
    terminal_expect(&guest->terminal, "bash-", 60);
    terminal_type(&guest->terminal, "stty -echo; echo quie''t\r");
    terminal_expect(&guest->terminal, "\nquiet\r\n", 60);
}

static inline void guest_power_off(struct guest *guest)
{
    const char *disk = guest_file(guest, "disk.qcow2");

    terminal_type(&guest->terminal, "poweroff\r");
    ck_assert_int_eq(terminal_wait(&guest->terminal, GUEST_BOOT), STATUS_OFF);
    guest_tool((const char *[]){harness_built("vmm-img"), "check", disk, NULL});
    guest_tool((const char *[]){"qemu-img", "check", disk, NULL});
}

/* Whatever is left of it. */
static inline void guest_free(struct guest *guest)
{
    const char *argv[] = {"rm", "-rf", guest->folder, NULL};
    struct program program;

    if (guest->terminal.screen)
        terminal_free(&guest->terminal);
    program = program_run(argv, NULL, 60);
    program_free(&program);
    *guest = (struct guest){.asked = 0};
}

#endif
