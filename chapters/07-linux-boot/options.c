/* options.c: see options.h; option_table.c has the names. */
#include "07-linux-boot/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/option_table.h"
#include "07-linux-boot/properties.h"
#include "07-linux-boot/sandbox.h"
#include "common/bits.h"

#define RAM_DEFAULT (512 * MIB)
#define RAM_MIN     (2 * MIB)
#define RAM_MAX     (1024 * GIB)

static bool parse_unit(const char *text, uint64_t *unit)
{
    static const char letters[] = "kmgt";
    const char *letter;

    *unit = MIB;
    if (text[0] == '\0')
        return true;
    letter = strchr(letters, text[0] | 0x20);
    if (!letter || text[1] != '\0')
        return false;
    *unit = KIB << 10 * (letter - letters);
    return true;
}

static int parse_memory(const char *text, uint64_t *ram, struct refusal *why)
{
    char *end;
    uint64_t number, unit;

    number = strtoull(text, &end, 10); /* too many digits give the largest number */
    if (text[0] < '0' || text[0] > '9' || !parse_unit(end, &unit))
        return refuse(why, -EINVAL, "-m %.80s: not a size such as 512, 512M or 2G", text);
    if (number > RAM_MAX / unit || number * unit < RAM_MIN)
        return refuse(why, -EINVAL, "-m %.80s: memory can be from 2M to 1024G", text);
    *ram = align_down(number * unit, MIB);
    return 0;
}

static int parse_machine(const char *text, enum machine_kind *machine, struct refusal *why)
{
    static const char *const names[] = {[MACHINE_PC] = "pc", [MACHINE_LEAN] = "microvm"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *machine = (enum machine_kind)i;
            return 0;
        }
    return refuse(why, -EINVAL, "-M %.80s: not one of pc and microvm", text);
}

/* Of QEMU's words one may say that nothing is allowed: nothing is. */
struct sandbox_words {
    bool on;
    unsigned denied;
    char discs[sizeof((struct options *)0)->discs];
};

static const struct property sandbox_words[] = {
    {"enable", property_switch, AT(struct sandbox_words, on), .form = "on|off"},
    {"discs", property_text, AT(struct sandbox_words, discs), .form = "FOLDER"},
    {"obsolete", property_word, AT(struct sandbox_words, denied), .form = "deny"},
    {"elevateprivileges", property_word, AT(struct sandbox_words, denied), .form = "deny"},
    {"spawn", property_word, AT(struct sandbox_words, denied), .form = "deny"},
    {"resourcecontrol", property_word, AT(struct sandbox_words, denied), .form = "deny"},
    {.name = NULL},
};

static int parse_sandbox(const char *text, struct options *options, struct refusal *why)
{
    struct sandbox_words words = {.on = true};
    struct properties given;
    struct refusal inner;
    int error;

    if (strcmp(text, "help") == 0) {
        options->sandbox = SANDBOX_HELP;
        return 0;
    }
    error = properties_read(&given, text, "enable", &inner);
    if (error == 0) {
        error = properties_apply(&given, sandbox_words, &words, &inner);
        properties_free(&given);
    }
    if (error < 0)
        return refuse(why, error, "-sandbox %.80s: %s", text, inner.text);
    options->sandbox = words.on ? SANDBOX_ON : SANDBOX_OFF;
    strcpy(options->discs, words.discs);
    return 0;
}

static int append(struct option_list *list, const char *name, const char *value,
                  struct refusal *why)
{
    if (list->count == OPTIONS_LIST_MAX)
        return refuse(why, -EINVAL, "-%s %.80s: %u at most", name, value, OPTIONS_LIST_MAX);
    list->values[list->count++] = value;
    return 0;
}

static int parse_cpu(const char *text, struct options *options, struct refusal *why)
{
    struct refusal inner;
    int error;

    options->cpu_help = strcmp(text, "help") == 0;
    if (options->cpu_help)
        return 0;
    error = cpu_model_read(&options->cpu, text, &inner);
    return error < 0 ? refuse(why, error, "-cpu %.80s: %s", text, inner.text) : 0;
}

/* Those whose value is text, and where it goes. */
static const char **text_of(struct options *options, enum option_id id)
{
    switch (id) {
    case OPTION_KERNEL: return &options->kernel;
    case OPTION_INITRD: return &options->initrd;
    case OPTION_APPEND: return &options->cmdline;
    case OPTION_HDA: return &options->hda;
    case OPTION_CDROM: return &options->cdrom;
    case OPTION_MONITOR: return &options->monitor;
    case OPTION_GDB: return &options->gdb;
    case OPTION_VNC: return &options->vnc;
    case OPTION_NAME: return &options->name;
    case OPTION_PIDFILE: return &options->pidfile;
    case OPTION_TRACE: return &options->trace;
    case OPTION_MEM_PATH: return &options->mem_path;
    case OPTION_RUNAS: return &options->runas;
    case OPTION_CHROOT: return &options->chroot;
    default: return NULL;
    }
}

/* Those that add up. */
static struct option_list *list_of(struct options *options, enum option_id id)
{
    switch (id) {
    case OPTION_DRIVE: return &options->drives;
    case OPTION_NETDEV: return &options->netdevs;
    case OPTION_NIC: return &options->nics;
    case OPTION_DEVICE: return &options->devices;
    case OPTION_CHARDEV: return &options->chardevs;
    case OPTION_SERIAL: return &options->serials;
    default: return NULL;
    }
}

static int apply(struct options *options, const struct option_row *row, const char *value,
                 struct refusal *why)
{
    const char **text = text_of(options, row->id);
    struct option_list *list = list_of(options, row->id);

    if (list)
        return append(list, row->name, value, why);
    if (text) {
        *text = value;
        return 0;
    }
    switch (row->id) {
    case OPTION_MACHINE: return parse_machine(value, &options->machine, why);
    case OPTION_CPU: return parse_cpu(value, options, why);
    case OPTION_MEMORY: return parse_memory(value, &options->ram, why);
    case OPTION_PROCESSORS: return topology_parse(&options->topology, value, why);
    case OPTION_SANDBOX: return parse_sandbox(value, options, why);
    case OPTION_SNAPSHOT: options->snapshot = true; break;
    case OPTION_GDB_SHORT: options->gdb = GDB_DEFAULT; break;
    case OPTION_STOPPED: options->stopped = true; break;
    case OPTION_NO_REBOOT: options->no_reboot = true; break;
    case OPTION_DAEMONIZE: options->daemonize = true; break;
    case OPTION_STATS: options->stats = true; break;
    case OPTION_MEM_PREALLOC: options->mem_prealloc = true; break;
    case OPTION_JAIL: options->jail = true; break;
    case OPTION_VERSION: options->version = true; break;
    case OPTION_HELP: options->help = true; break;
    default: break; /* -nographic: there is no screen */
    }
    return 0;
}

/* "-device help" is a question, for which no kernel is needed. */
static bool is_question(const struct options *options)
{
    const struct option_list *lists[] = {&options->devices, &options->netdevs, &options->chardevs};

    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
        for (unsigned j = 0; j < lists[i]->count; j++) {
            const char *comma = strrchr(lists[i]->values[j], ',');

            if (strcmp(comma ? comma + 1 : lists[i]->values[j], "help") == 0)
                return true;
        }
    return options->help || options->version || options->cpu_help ||
           options->sandbox == SANDBOX_HELP;
}

int options_parse(struct options *options, int argc, char *const argv[], struct refusal *why)
{
    *options = (struct options){.cmdline = DEFAULT_CMDLINE,
                                .ram = RAM_DEFAULT,
                                .topology = {1, 1, 1},
                                .sandbox = sandbox_is_possible() ? SANDBOX_ON : SANDBOX_OFF};
    for (int i = 1; i < argc; i++) {
        const struct option_row *row = option_find(argv[i], why);
        const char *value = NULL;
        int error;

        if (!row)
            return -EINVAL;
        if (row->value) {
            if (i + 1 == argc)
                return refuse(why, -EINVAL, "-%s needs a value: -%s %s", row->name, row->name,
                              row->value);
            value = argv[++i];
        }
        error = apply(options, row, value, why);
        if (error < 0)
            return error;
    }
    options->question = is_question(options);
    if (!options->kernel && !options->question)
        return refuse(why, -EINVAL, "no kernel: give one with -kernel FILE (-help lists options)");
    return 0;
}
