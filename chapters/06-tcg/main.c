/*
 * rarm: runs a Linux program of a 32-bit ARM on x86-64.
 *
 * Chapter 6 in one program: an engine that executes ARM instructions (the translator,
 * or with --interpret the interpreter that judges it), and Linux's system calls around
 * it (linux/). The options follow qemu-arm's where it has them, so that one can stand
 * in for the other; those with two dashes look into the translator.
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

/* How often code is interpreted before it is worth a translation, as measured. */
#define COLD_RUNS 4

extern char **environ;

static const char usage[] =
    "usage: rarm [OPTIONS] PROGRAM [ARGUMENTS]\n"
    "\n"
    "Runs a Linux program of a 32-bit ARM.\n"
    "\n"
    "  -L DIR              look up absolute paths below DIR first (its /lib, its programs)\n"
    "  -E VAR=VALUE        set a variable in the program's environment\n"
    "  -U VAR              remove one\n"
    "  -0 ARGV0            the program's own name for itself, if not its path\n"
    "  -s SIZE             the stack's size in bytes\n"
    "  -strace             print each system call and signal\n"
    "  --interpret         execute one instruction after the other, translate nothing\n"
    "  --without=LIST      leave out some of\n" TRANSLATOR_TECHNIQUES
    "  --dump=LIST         print each block when it is translated: arm, ir, opt, x86; or,\n"
    "                      at the end, all of them as json\n"
    "  --profile           at the end, print the blocks that were executed most\n"
    "  --perf-map          write /tmp/perf-PID.map for perf report\n"
    "  --log=FILE          where dumps and profile go, if not to standard error\n"
    "  --help              this\n"
    "\n"
    "The exit status is the program's; a signal that ends it ends rarm.\n";

/* What main() alone knows. */
struct settings {
    struct options options; /* for the process */
    struct translator_options translator;
    bool json, profile;
    FILE *log;
};

enum { STRACE = 256, INTERPRET, WITHOUT, DUMP, PROFILE, PERF_MAP, LOG, HELP };

static const struct option long_options[] = {
    {"strace", no_argument, NULL, STRACE},
    {"interpret", no_argument, NULL, INTERPRET},
    {"without", required_argument, NULL, WITHOUT},
    {"dump", required_argument, NULL, DUMP},
    {"profile", no_argument, NULL, PROFILE},
    {"perf-map", no_argument, NULL, PERF_MAP},
    {"log", required_argument, NULL, LOG},
    {"help", no_argument, NULL, HELP},
    {0},
};

/* ---- the two engines --------------------------------------------------------------- */

static struct arm_stop interpret(void *self, struct arm_cpu *cpu)
{
    (void)self;
    return arm_run(cpu);
}

struct translating {
    struct translator *translator;
    const struct settings *settings;
};

static struct arm_stop translate(void *self, struct arm_cpu *cpu)
{
    return translator_run(((struct translating *)self)->translator, cpu);
}

static void flush(void *self, uint32_t first, uint32_t last)
{
    translator_invalidate(((struct translating *)self)->translator, first,
                          (uint64_t)last - first + 1);
}

static void forked(void *self)
{
    translator_forked(((struct translating *)self)->translator);
}

static void finish(void *self)
{
    struct translating *t = self;

    if (t->settings->json)
        translator_dump_json(t->translator, t->settings->log);
    if (t->settings->profile)
        translator_profile(t->translator, t->settings->log, 20);
    fflush(t->settings->log);
}

static void interrupt_translated(void *self, void *context)
{
    translator_interrupt(((struct translating *)self)->translator, context);
}

static struct engine make_engine(struct space *space, const struct settings *settings)
{
    static struct translating t;
    int error;

    if (settings->options.interpret)
        return (struct engine){.name = "interpreter", .run = interpret};
    t.settings = settings;
    error = translator_new(&t.translator, space, &settings->translator);
    if (error)
        die("cannot make room for translated code: %s", strerror(-error));
    return (struct engine){.name = "translator",
                           .self = &t,
                           .run = translate,
                           .interrupt = interrupt_translated,
                           .flush = flush,
                           .forked = forked,
                           .finish = finish};
}

/* ---- the command line -------------------------------------------------------------- */

/* A directory without a slash at its end, absolute: the guest may change its own. */
static const char *sysroot(const char *directory)
{
    char *absolute = realpath(directory, NULL);

    if (!absolute)
        die("-L %s: no such directory", directory);
    if (strcmp(absolute, "/") == 0)
        absolute[0] = '\0';
    return absolute;
}

static void parse_dump(struct settings *settings, const char *names)
{
    const char *bad;

    if (strcmp(names, "json") == 0)
        settings->json = settings->translator.count = true;
    else if (!translator_parse_dump(names, &settings->translator.dump, &bad))
        die("--dump=%s: there is no stage \"%s\"; there are arm, ir, opt, x86, and json", names,
            bad);
}

static void parse_without(struct settings *settings, const char *names)
{
    const char *bad;

    if (!translator_parse_without(names, &settings->translator.without, &bad))
        die("--without=%s: there is no \"%s\" (see --help)", names, bad);
}

static uint32_t parse_size(const char *text)
{
    char *end;
    unsigned long size = strtoul(text, &end, 0);

    if (*end || end == text || size == 0 || size > UINT32_MAX)
        die("-s %s: a stack's size is a number of bytes", text);
    return (uint32_t)size;
}

/* Programs that this one starts get the same engine. */
static void keep(struct settings *settings, const char *name, const char *value)
{
    char **args = settings->options.engine_args;
    unsigned count = 0;

    while (args[count])
        count++;
    if (count == ENGINE_ARGS_MAX || asprintf(&args[count], "--%s=%s", name, value) < 0)
        die("--%s=%s: too many options", name, value);
    if (!*value) /* one without a value */
        args[count][strlen(args[count]) - 1] = '\0';
}

/* getopt_long_only() takes -strace and --strace alike, and stops at the program. */
static char **parse(int argc, char **argv, struct settings *settings)
{
    struct options *options = &settings->options;
    int option, index;

    while ((option = getopt_long_only(argc, argv, "+L:E:U:0:s:", long_options, &index)) >= 0) {
        if (option >= WITHOUT && option <= LOG)
            keep(settings, long_options[index].name, optarg ? optarg : "");
        switch (option) {
        case 'L': options->sysroot = sysroot(optarg); break;
        case 'E': putenv(optarg); break;
        case 'U': unsetenv(optarg); break;
        case '0': options->argv0 = optarg; break;
        case 's': options->stack_size = parse_size(optarg); break;
        case STRACE: options->strace = true; break;
        case INTERPRET: options->interpret = true; break;
        case WITHOUT: parse_without(settings, optarg); break;
        case DUMP: parse_dump(settings, optarg); break;
        case PROFILE: settings->profile = settings->translator.count = true; break;
        case PERF_MAP: settings->translator.perf_map = true; break;
        case LOG:
            settings->log = fopen(optarg, "ae");
            if (!settings->log)
                die("--log=%s: cannot open", optarg);
            break;
        case HELP: fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(1);
        }
    }
    if (optind == argc) {
        fputs(usage, stderr);
        exit(1);
    }
    settings->translator.dump_file = settings->log;
    return argv + optind;
}

int main(int argc, char **argv)
{
    static struct process process;
    static struct signal_actions actions = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static struct settings settings;
    struct thread *thread = calloc(1, sizeof *thread); /* thread_exit() frees it */
    struct refusal refusal;
    char path[PATH_MAX];
    int error;

    settings.log = stderr;
    settings.translator.cold_runs = COLD_RUNS;
    argv = parse(argc, argv, &settings);
    process.options = settings.options;
    snprintf(path, sizeof path, "%s", argv[0]);
    process_script(&process, path, &argv);
    if (settings.options.argv0)
        argv[0] = (char *)settings.options.argv0;
    if (!thread)
        die("out of memory");
    error = space_init(&process.space);
    if (error)
        die("cannot reserve 4 GiB of addresses: %s (is there a limit? ulimit -v)",
            strerror(-error));
    process.engine = make_engine(&process.space, &settings);
    thread->actions = &actions;
    if (!process_start(&process, thread, path, argv, environ, &refusal))
        die("%s: %s", path, refusal.text);
    signal_start(thread);
    thread_run(thread);
}
