/*
 * rarm: runs a Linux program of a 32-bit ARM on x86-64.
 *
 * Chapter 6 in one program: an engine that executes ARM instructions (arm/, ir/,
 * x86/), and Linux's system calls around it (linux/). The options follow qemu-arm's
 * where it has them, so that one can stand in for the other.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "06-tcg/arm/interpret.h"
#include "06-tcg/linux/process.h"
#include "06-tcg/linux/signal.h"
#include "06-tcg/translate/translator.h"
#include "common/die.h"

extern char **environ;

static const char usage[] =
    "usage: rarm [OPTIONS] PROGRAM [ARGUMENTS]\n"
    "\n"
    "Runs a Linux program of a 32-bit ARM.\n"
    "\n"
    "  -L DIR          look up absolute paths below DIR first (its /lib, its programs)\n"
    "  -E VAR=VALUE    set a variable in the program's environment\n"
    "  -U VAR          remove one\n"
    "  -0 ARGV0        the program's own name for itself, if not its path\n"
    "  -s SIZE         the stack's size in bytes\n"
    "  -strace         print each system call and signal on standard error\n"
    "  --interpret     execute one instruction after the other, translate nothing\n"
    "  --help          this\n"
    "\n"
    "The exit status is the program's; a signal that ends it ends rarm.\n";

enum { OPTION_STRACE = 256, OPTION_INTERPRET, OPTION_HELP };

static const struct option long_options[] = {
    {"strace", no_argument, NULL, OPTION_STRACE},
    {"interpret", no_argument, NULL, OPTION_INTERPRET},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static struct arm_stop interpret(void *self, struct arm_cpu *cpu)
{
    (void)self;
    return arm_run(cpu);
}

static struct arm_stop translate(void *self, struct arm_cpu *cpu)
{
    return translator_run(self, cpu);
}

static void forget(void *self, uint32_t first, uint32_t last)
{
    translator_invalidate(self, first, (uint64_t)last - first + 1);
}

static void after_fork(void *self, bool child)
{
    if (child)
        translator_forked(self);
}

static struct engine make_engine(struct process *process, const struct translator_options *options)
{
    struct translator *translator;
    int error;

    if (process->options.interpret)
        return (struct engine){.name = "interpreter", .run = interpret};
    error = translator_new(&translator, &process->space, options);
    if (error)
        die("cannot make the translator: %s", strerror(-error));
    return (struct engine){.name = "translator",
                           .self = translator,
                           .run = translate,
                           .flush = forget,
                           .after_fork = after_fork};
}

/* A directory that ends without a slash, absolute: the guest may change its own. */
static const char *sysroot(const char *directory)
{
    char *absolute = realpath(directory, NULL);

    if (!absolute)
        die("-L %s: no such directory", directory);
    if (strcmp(absolute, "/") == 0)
        absolute[0] = '\0';
    return absolute;
}

/* getopt_long_only() takes -strace and --strace, and stops at the program. */
static int parse(int argc, char **argv, struct options *options)
{
    int option;

    while ((option = getopt_long_only(argc, argv, "+L:E:U:0:s:", long_options, NULL)) >= 0) {
        switch (option) {
        case 'L': options->sysroot = sysroot(optarg); break;
        case 'E': putenv(optarg); break;
        case 'U': unsetenv(optarg); break;
        case '0': options->argv0 = optarg; break;
        case 's': options->stack_size = (uint32_t)strtoul(optarg, NULL, 0); break;
        case OPTION_STRACE: options->strace = true; break;
        case OPTION_INTERPRET: options->interpret = true; break;
        case OPTION_HELP: fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(1);
        }
    }
    if (optind == argc) {
        fputs(usage, stderr);
        exit(1);
    }
    return optind;
}

int main(int argc, char **argv)
{
    static struct process process;
    struct thread *thread = calloc(1, sizeof *thread); /* thread_exit() frees it */
    static struct signal_actions actions = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct refusal refusal;
    const char *path;
    int error;

    argv += parse(argc, argv, &process.options);
    path = argv[0];
    if (process.options.argv0)
        argv[0] = (char *)process.options.argv0;
    if (!thread)
        die("out of memory");
    error = space_init(&process.space);
    if (error)
        die("cannot reserve 4 GiB of addresses: %s (is there a limit? ulimit -v)",
            strerror(-error));
    process.engine = make_engine(&process, NULL);
    thread->actions = &actions;
    if (!process_start(&process, thread, path, argv, environ, &refusal))
        die("%s: %s", path, refusal.text);
    signal_start(thread);
    thread_run(thread);
}
