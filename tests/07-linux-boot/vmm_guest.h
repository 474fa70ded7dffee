/*
 * vmm_guest.h: the VMM as a test starts it, with a folder for the test's files on the host
 * and with guest/hostile.asm, a kernel that does what a letter says ('e' echoes what is typed
 * until a 'q'; the others are in its table).
 *
 *     tcase_add_checked_fixture(tests, folder_make, folder_remove);
 *
 *     make_sparse("disk.img", 1 << 20);
 *     HOSTILE_START(&terminal, "e", "-drive", "file=FOLDER/disk.img,if=virtio");
 *
 * linux_guest.h has Linux.
 */
#ifndef TESTS_07_VMM_GUEST_H
#define TESTS_07_VMM_GUEST_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "harness/harness.h"

/* ---- files of the host ---- */

/* Below /tmp, because the lab's tree is on a file system that has no sockets. */
static char folder[] = "/tmp/ring.XXXXXX";

static inline void folder_make(void)
{
    strcpy(folder, "/tmp/ring.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline void folder_remove(void)
{
    const char *argv[] = {"rm", "-rf", folder, NULL};
    struct program rm = program_run(argv, NULL, 60);

    program_free(&rm);
}

/* "FOLDER/name", in static storage, eight at a time. */
static inline const char *file(const char *name)
{
    static char paths[8][100];
    static unsigned next;

    next = (next + 1) % 8;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static inline bool is_there(const char *name)
{
    return access(file(name), F_OK) == 0;
}

static inline void make_sparse(const char *name, off_t size)
{
    int fd = open(file(name), O_CREAT | O_RDWR | O_CLOEXEC, 0644);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    close(fd);
}

/* Calls at a socket of the folder, as soon as somebody listens there; -1: nobody did for 20 s. */
static inline int call(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", file(name));
    for (unsigned i = 0; i < 400; i++) {
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        usleep(50000);
    }
    close(fd);
    return -1;
}

/* ---- the VMM's command line ---- */

#define OPTIONS_MAX 32u

struct arguments {
    const char *list[8 + OPTIONS_MAX];
    char values[OPTIONS_MAX][300]; /* of options that name the folder */
};

/* "vmm", first, and options, both to a NULL; "FOLDER" in an option is the test's folder. */
static inline void arguments_init(struct arguments *a, const char *const first[],
                                  const char *const options[])
{
    unsigned count = 0;

    a->list[count++] = harness_built("vmm");
    while (*first)
        a->list[count++] = *first++;
    for (unsigned i = 0; options[i]; i++) {
        const char *at = strstr(options[i], "FOLDER");

        ck_assert_uint_lt(i, OPTIONS_MAX);
        if (at)
            snprintf(a->values[i], sizeof a->values[i], "%.*s%s%s", (int)(at - options[i]),
                     options[i], folder, at + strlen("FOLDER"));
        a->list[count++] = at ? a->values[i] : options[i];
    }
    a->list[count] = NULL;
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* gdb, which calls at the socket "gdb" and is told these, to a NULL. */
static inline struct program gdb(const char *const commands[])
{
    char target[120];
    const char *argv[64] = {"gdb", "-nx", "-batch", "-ex", target};
    unsigned count = 5;

    snprintf(target, sizeof target, "target remote %s", file("gdb"));
    for (unsigned i = 0; commands[i]; i++) {
        argv[count++] = "-ex";
        argv[count++] = commands[i];
    }
    return program_run(argv, NULL, 60);
}

#define GDB(...) gdb(OPTIONS(__VA_ARGS__))

/* NULL, or why there is no gdb. */
static inline const char *no_gdb(void)
{
    return system("command -v gdb >/dev/null") == 0 ? NULL : "no gdb: common/deps test installs it";
}

/* ---- hostile.asm ---- */

static inline void hostile_arguments(struct arguments *a, const char *letter,
                                     const char *const options[])
{
    arguments_init(
        a, OPTIONS("-kernel", harness_built("07-linux-boot/hostile.bin"), "-append", letter),
        options);
}

/* On a terminal. */
static inline void hostile_start(struct terminal *terminal, const char *letter,
                                 const char *const options[])
{
    struct arguments arguments;

    hostile_arguments(&arguments, letter, options);
    terminal_start(terminal, arguments.list);
}

/* To its end, with this input. */
static inline struct program hostile_run(const char *letter, const char *input,
                                         const char *const options[])
{
    struct arguments arguments;
    struct program ran;

    hostile_arguments(&arguments, letter, options);
    ran = program_run(arguments.list, input, 30);
    ck_assert_msg(!ran.timed_out, "%s: still running after 30 s", letter);
    return ran;
}

#define HOSTILE_START(terminal, letter, ...)                                                       \
    hostile_start(terminal, letter, OPTIONS("-m", "64", __VA_ARGS__))
#define HOSTILE_RUN(letter, input, ...) hostile_run(letter, input, OPTIONS("-m", "64", __VA_ARGS__))

#endif
