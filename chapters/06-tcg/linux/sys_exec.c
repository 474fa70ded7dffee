/*
 * sys_exec.c: execve(): another ARM program takes this one's place.
 *
 * The host's kernel cannot run it, so what it is given is the translator itself, with
 * the program and its arguments behind our own options:
 *
 *     guest   execve("/bin/ls", {"ls", "-l"}, environment)
 *     host    execve("/proc/self/exe",
 *                    {"rarm", "-L", ..., "-0", "ls", "--", "/bin/ls", "-l"}, environment)
 *
 * What the kernel would refuse must be refused before, while there is a program to
 * tell: so the file is looked at here. The policy: ARM programs, and scripts whose #!
 * names one (again a script, at most four deep); whatever else the host could run is
 * ENOEXEC. Descriptors, ignored signals, the mask and the process number survive as
 * they do on Linux, because it is Linux that keeps them.
 *
 * Variables that would change our own C library or its loader (LD_PRELOAD and its
 * kin) travel as -E options, out of their sight.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "06-tcg/linux/elf.h"
#include "06-tcg/linux/path.h"
#include "06-tcg/linux/signal.h"
#include "06-tcg/linux/sys.h"

#define STRINGS_MAX  (1u << 21) /* bytes of arguments and environment: E2BIG beyond */
#define WORDS_MAX    (1u << 17)
#define SCRIPT_DEPTH 4
#define SCRIPT_LINE  256 /* [execve(2), "Interpreter scripts"] */

/* A growing list of strings of our own; error sticks. */
struct list {
    char **word;
    size_t count, bytes;
    int error;
};

static void append(struct list *list, const char *text)
{
    char **grown;

    list->bytes += strlen(text) + 1 + sizeof *grown;
    if (list->bytes > STRINGS_MAX || list->count + 2 > WORDS_MAX)
        list->error = -E2BIG;
    if (list->error)
        return;
    grown = realloc(list->word, (list->count + 2) * sizeof *grown);
    if (grown)
        list->word = grown;
    if (!grown || !(grown[list->count] = strdup(text))) {
        list->error = -ENOMEM;
        return;
    }
    grown[++list->count] = NULL;
}

static void release(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->word[i]);
    free(list->word);
}

/* Appends the guest's NULL-terminated array of strings; NULL is an empty one. */
static void append_from_guest(struct list *list, struct space *space, uint32_t array,
                              void (*add)(struct list *list, const char *text))
{
    static const size_t room = 131072; /* the kernel's MAX_ARG_STRLEN */
    char *text = malloc(room);
    uint32_t address = 0;

    for (uint32_t at = array; text && array && !list->error; at += 4) {
        ssize_t length;

        if (space_read(space, at, &address, sizeof address) < 0) {
            list->error = -EFAULT;
            break;
        }
        if (address == 0)
            break;
        length = space_read_string(space, address, text, room);
        if (length < 0)
            list->error = length == -ENAMETOOLONG ? -E2BIG : (int)length;
        else
            add(list, text);
    }
    if (!text)
        list->error = -ENOMEM;
    free(text);
}

/* ---- what is to run ------------------------------------------------------------------- */

/* "#! /bin/sh -e": fills interpreter and argument ("" if none). */
static int parse_script(char line[SCRIPT_LINE], char **interpreter, char **argument)
{
    char *end = line + strcspn(line, "\n");

    if (*end == '\0' && strlen(line) == SCRIPT_LINE - 1)
        return -ENOEXEC;
    while (end > line + 2 && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    *interpreter = line + 2 + strspn(line + 2, " \t");
    *argument = *interpreter + strcspn(*interpreter, " \t");
    if (**argument) {
        *(*argument)++ = '\0';
        *argument += strspn(*argument, " \t");
    }
    return **interpreter ? 0 : -ENOEXEC;
}

/* An executable regular file, opened; or -errno as execve() answers. */
static int open_executable(struct process *process, const char *path, uint64_t *size)
{
    char host[PATH_MAX];
    struct stat info;
    int fd, error = path_to_host(process, path, true, host);

    if (error)
        return error;
    fd = path_open_proc(process, path, O_RDONLY | O_CLOEXEC);
    if (fd == -ENOSYS) {
        fd = open(host, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        fd = fd < 0 ? -errno : fd;
    }
    if (fd < 0)
        return fd;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || faccessat(AT_FDCWD, host, X_OK, 0) < 0) {
        close(fd);
        return -EACCES;
    }
    *size = (uint64_t)info.st_size;
    return fd;
}

/* Replaces arguments' first word by "interpreter [argument] path". */
static void put_before(struct list *arguments, const char *interpreter, const char *argument,
                       const char *path)
{
    struct list grown = {0};

    append(&grown, interpreter);
    if (*argument)
        append(&grown, argument);
    append(&grown, path);
    for (size_t i = 1; i < arguments->count; i++)
        append(&grown, arguments->word[i]);
    if (!grown.error)
        grown.error = arguments->error;
    release(arguments);
    *arguments = grown;
}

/* Follows #! lines until there is an ARM program; path and arguments change with it. */
static int find_program(struct process *process, char path[PATH_MAX], struct list *arguments)
{
    for (int depth = 0; depth <= SCRIPT_DEPTH; depth++) {
        static _Thread_local struct elf_file file;
        char line[SCRIPT_LINE] = "", *interpreter, *argument;
        struct refusal why;
        uint64_t size = 0;
        int error, fd = open_executable(process, path, &size);

        if (fd < 0)
            return fd;
        error = pread(fd, line, sizeof line - 1, 0) < 0 ? -errno : 0;
        if (!error && strncmp(line, "#!", 2) != 0) {
            error = elf_check(&file, fd, size, &why);
            close(fd);
            return error;
        }
        close(fd);
        if (!error)
            error = parse_script(line, &interpreter, &argument);
        if (error)
            return error;
        put_before(arguments, interpreter, argument, path);
        snprintf(path, PATH_MAX, "%s", interpreter);
    }
    return -ELOOP;
}

void process_script(struct process *process, char path[PATH_MAX], char ***argv)
{
    struct list arguments = {0};

    for (char **word = *argv; *word; word++)
        append(&arguments, *word);
    find_program(process, path, &arguments);
    if (!arguments.error) /* else the kernel has let us have more than we would */
        *argv = arguments.word;
}

/* ---- handing over ---------------------------------------------------------------------- */

static bool is_ours(const char *variable)
{
    return strncmp(variable, "LD_", 3) == 0 || strncmp(variable, "GLIBC_", 6) == 0 ||
           strncmp(variable, "MALLOC_", 7) == 0 || strncmp(variable, "ASAN_", 5) == 0;
}

static void append_ours(struct list *list, const char *variable)
{
    if (is_ours(variable)) {
        append(list, "-E");
        append(list, variable);
    }
}

static void append_others(struct list *list, const char *variable)
{
    if (!is_ours(variable))
        append(list, variable);
}

static void append_options(struct list *list, const struct options *options)
{
    char size[16];

    append(list, "rarm");
    if (options->sysroot) {
        append(list, "-L");
        append(list, options->sysroot);
    }
    if (options->strace)
        append(list, "-strace");
    if (options->interpret)
        append(list, "--interpret");
    if (options->stack_size) {
        snprintf(size, sizeof size, "%u", options->stack_size);
        append(list, "-s");
        append(list, size);
    }
    for (unsigned i = 0; options->engine_args[i]; i++)
        append(list, options->engine_args[i]);
}

/* Every descriptor we hold for ourselves is close-on-exec: the next program sees none. */
static int64_t hand_over(struct thread *thread, const char *path, const struct list *arguments,
                         uint32_t environment_address)
{
    struct space *space = &thread->process->space;
    struct list words = {0}, environment = {0};
    int error;

    append_options(&words, &thread->process->options);
    append_from_guest(&words, space, environment_address, append_ours);
    append(&words, "-0");
    append(&words, arguments->count ? arguments->word[0] : "");
    append(&words, "--");
    append(&words, path);
    for (size_t i = 1; i < arguments->count; i++)
        append(&words, arguments->word[i]);
    append_from_guest(&environment, space, environment_address, append_others);
    error = words.error ? words.error : environment.error;
    if (!error) {
        char *none[] = {NULL};

        signal_apply_mask(thread);
        execve("/proc/self/exe", words.word, environment.word ? environment.word : none);
        error = -errno;
    }
    release(&words);
    release(&environment);
    return error;
}

static int64_t execute(struct thread *thread, char path[PATH_MAX], uint32_t argv, uint32_t envp)
{
    struct list arguments = {0};
    int64_t error;

    /* For our successor /proc/self/exe would be the translator. */
    if (path_readlink_proc(thread->process, path, path, PATH_MAX) > 0)
        strcpy(path, thread->process->exe);
    append_from_guest(&arguments, &thread->process->space, argv, append);
    error = arguments.error ? arguments.error : find_program(thread->process, path, &arguments);
    if (!error)
        error = arguments.error;
    if (!error)
        error = hand_over(thread, path, &arguments, envp);
    release(&arguments);
    return error;
}

SYSCALL_FUNCTION(execve)
{
    char path[PATH_MAX];
    ssize_t length = space_read_string(&thread->process->space, args[0], path, sizeof path);

    if (length < 0)
        return length;
    return execute(thread, path, args[1], args[2]);
}

/*
 * A descriptor's file, by a name that outlives it (it may be close-on-exec): what /proc
 * says it is called, if that is still the same file.
 */
static void name_descriptor(int fd, char path[PATH_MAX])
{
    char link[32], name[PATH_MAX];
    struct stat opened, named;
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, name, sizeof name - 1);
    name[length > 0 ? length : 0] = '\0';
    if (length > 0 && fstat(fd, &opened) == 0 && stat(name, &named) == 0 &&
        opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
        strcpy(path, name);
    else
        strcpy(path, link);
}

SYSCALL_FUNCTION(execveat)
{
    char path[PATH_MAX], whole[PATH_MAX];
    ssize_t length = space_read_string(&thread->process->space, args[1], path, sizeof path);

    if (length < 0)
        return length;
    if (args[4] & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    if (length == 0 && !(args[4] & AT_EMPTY_PATH))
        return -ENOENT;
    if (path[0] == '/' || (int32_t)args[0] == AT_FDCWD)
        return execute(thread, path, args[2], args[3]);
    name_descriptor((int32_t)args[0], whole);
    if (length && strlen(whole) + 1 + (size_t)length >= sizeof whole)
        return -ENAMETOOLONG;
    if (length)
        strcat(strcat(whole, "/"), path);
    return execute(thread, whole, args[2], args[3]);
}
