/*
 * linux_guest.h: Debian's cloud kernel in the VMM with one of our two small root file systems.
 *
 * One ends in a shell (chapters/07-linux-boot/initramfs), and a test types to it:
 *
 *     SHELL_BOOT("-smp", "2");                   to the prompt
 *     shell_says("nproc", "2");                  a command, and a line of what it printed
 *     shell_off("poweroff\r");                   typed; the VMM ends with status 0
 *
 * The other does one thing of tests/07-linux-boot/virtio/what-to-do, reports, and powers off:
 *
 *     guest = SCRIPT("disk", "-drive", "file=FOLDER/disk.img,if=virtio");
 *     script_says(&guest, "do: mkfs: ok");
 *
 * debian_guest.h has the third kind: a whole Debian from a disk.
 */
#ifndef TESTS_07_LINUX_GUEST_H
#define TESTS_07_LINUX_GUEST_H

#include "07-linux-boot/vmm_guest.h"

#define KERNEL        "build/kernels/cloud/vmlinuz"
#define SHELL_INITRD  "build/guest/initramfs.cpio"
#define SCRIPT_INITRD "build/guest/virtio.cpio"
#define QUIET         "console=ttyS0 quiet panic=-1 cryptomgr.notests "
#define SCRIPTED      QUIET "ring.mode=script ring.do="
#define PROMPT        "guest:/root# "

/* Seconds a boot may take; some ten are usual in the lab, more with sanitizers. */
#define BOOT 90.0

/* NULL if Linux can be started with this root file system, else why not. */
static inline const char *no_linux(const char *initrd)
{
    if (harness_no_kvm())
        return harness_no_kvm();
    if (access(KERNEL, R_OK) < 0)
        return "no " KERNEL ": common/kernel cloud fetches it";
    if (access(initrd, R_OK) < 0)
        return strcmp(initrd, SHELL_INITRD) == 0
                   ? "no " SHELL_INITRD ": chapters/07-linux-boot/initramfs builds it"
                   : "no " SCRIPT_INITRD ": tests/07-linux-boot/virtio/initramfs builds it";
    return NULL;
}

/* ---- images ---- */

#define IMAGE_SIZE (16u << 20)
#define COPY_SIZE  (8u << 20) /* what the script "copy" copies */

static char *content; /* what make_random() has written, IMAGE_SIZE bytes */

static inline void make_random(const char *name)
{
    FILE *random = fopen("/dev/urandom", "r"), *out = fopen(file(name), "w");

    free(content);
    content = malloc(IMAGE_SIZE);
    ck_assert_uint_eq(fread(content, 1, IMAGE_SIZE, random), IMAGE_SIZE);
    ck_assert_uint_eq(fwrite(content, 1, IMAGE_SIZE, out), IMAGE_SIZE);
    fclose(out);
    fclose(random);
}

/* The first half of content is in the file twice. */
static inline void expect_copied(const char *name)
{
    char *now = malloc(IMAGE_SIZE);
    FILE *in = fopen(file(name), "r");

    ck_assert_ptr_nonnull(in);
    ck_assert_uint_eq(fread(now, 1, IMAGE_SIZE, in), IMAGE_SIZE);
    ck_assert_mem_eq(now, content, COPY_SIZE);
    ck_assert_mem_eq(now + COPY_SIZE, content, COPY_SIZE);
    fclose(in);
    free(now);
}

/* Runs a program of the host, which must succeed; its output. */
static inline struct program tool(const char *const argv[])
{
    struct program program = program_run(argv, NULL, 60);

    ck_assert_msg(program.status == 0, "%s: %s", argv[0], program.err);
    return program;
}

#define TOOL(...)                                                                                  \
    do {                                                                                           \
        struct program done = tool(OPTIONS(__VA_ARGS__));                                          \
        program_free(&done);                                                                       \
    } while (0)

/* The line that the guest prints when the file is to it what it is to the host. */
static inline const char *sum_line(const char *what, const char *name)
{
    static char lines[4][100];
    static unsigned next;
    const char *argv[] = {"sha256sum", file(name), NULL};
    struct program sum = tool(argv);

    next = (next + 1) % 4;
    snprintf(lines[next], sizeof lines[next], "do: %s %.64s", what, sum.out);
    program_free(&sum);
    return lines[next];
}

/* The VMM with Linux and this root file system, and options to a NULL. */
static inline void linux_arguments(struct arguments *a, const char *initrd, const char *append,
                                   const char *const options[])
{
    arguments_init(a, OPTIONS("-kernel", KERNEL, "-initrd", initrd, "-append", append), options);
}

/* ---- a shell ---- */

static struct terminal terminal;

/* Starts the VMM on the terminal. */
static inline void shell_start(const char *append, const char *const options[])
{
    struct arguments arguments;

    linux_arguments(&arguments, SHELL_INITRD, append, options);
    terminal_start(&terminal, arguments.list);
}

#define SHELL_START(append, ...) shell_start(append, OPTIONS(__VA_ARGS__))

/* The same to the shell's prompt. */
#define SHELL_BOOT(...)                                                                            \
    do {                                                                                           \
        SHELL_START(QUIET, __VA_ARGS__);                                                           \
        terminal_expect(&terminal, PROMPT, BOOT);                                                  \
    } while (0)

/* Types a command; what it prints must have text as a line of its own. */
static inline void shell_says(const char *command, const char *text)
{
    char line[128];

    terminal_type(&terminal, command);
    terminal_type(&terminal, "\r");
    snprintf(line, sizeof line, "\n%s\r", text);
    terminal_expect(&terminal, line, 30);
    terminal_expect(&terminal, PROMPT, 30);
}

/* Types what powers the machine off: a command, or a key of ours. */
static inline void shell_off(const char *typed)
{
    terminal_type(&terminal, typed);
    ck_assert_int_eq(terminal_wait(&terminal, 60), STATUS_OFF);
    terminal_free(&terminal);
}

/* ---- a script ---- */

/* A guest that does this to its end. AGAIN is for one that resets its machine and goes on. */
static inline struct program script(const char *what, const char *const options[])
{
    struct arguments arguments;
    char append[200];

    snprintf(append, sizeof append, SCRIPTED "%s", what);
    linux_arguments(&arguments, SCRIPT_INITRD, append, options);
    return program_run(arguments.list, NULL, 2 * BOOT);
}

#define AGAIN(what, ...)  script(what, OPTIONS(__VA_ARGS__))
#define SCRIPT(what, ...) AGAIN(what, "-no-reboot", __VA_ARGS__)

/* section: of the book, for the reader of a failure. */
static inline void script_says(const struct program *guest, const char *line, const char *section)
{
    if (!strstr(guest->out, line))
        e2e_fail(section, line, "the driver and the device do not agree",
                 "status %d, standard error \"%s\", and\n%s", guest->status, guest->err,
                 guest->out);
}

#endif
