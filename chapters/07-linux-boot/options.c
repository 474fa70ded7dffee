/*
 * options.c: see options.h.
 *
 * One table holds every option; parsing, help and suggestions read it. An option
 * that is not in it is refused by name: a VMM that ignored "-snapshot" would write
 * to someone's disk.
 */
#include "07-linux-boot/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/ending.h"
#include "07-linux-boot/spelling.h"
#include "common/bits.h"

#define RAM_DEFAULT (512 * MIB)
#define RAM_MIN     (2 * MIB)
#define RAM_MAX     (1024 * GIB)

enum option_id {
    OPTION_KERNEL,
    OPTION_INITRD,
    OPTION_APPEND,
    OPTION_MEMORY,
    OPTION_PROCESSORS,
    OPTION_MACHINE,
    OPTION_DRIVE,
    OPTION_NETDEV,
    OPTION_NIC,
    OPTION_DEVICE,
    OPTION_NO_REBOOT,
    OPTION_NOGRAPHIC,
    OPTION_TRACE,
    OPTION_STATS,
    OPTION_HELP,
};

struct option_row {
    const char *name;
    enum option_id id;
    const char *value; /* what its argument is called; NULL if it takes none */
    const char *text;  /* NULL: another name of the row above */
};

static const struct option_row rows[] = {
    {"kernel", OPTION_KERNEL, "FILE", "the Linux kernel to boot: a bzImage or an ELF vmlinux"},
    {"initrd", OPTION_INITRD, "FILE", "its initial RAM disk"},
    {"append", OPTION_APPEND, "TEXT", "its command line, instead of\n\"" DEFAULT_CMDLINE "\""},
    {"m", OPTION_MEMORY, "SIZE", "memory: a number of MiB, or with K, M, G or T (default 512)"},
    {"smp", OPTION_PROCESSORS, "N",
     "processors: N[,sockets=N][,cores=N][,threads=N], 1 to 16\n(default 1)"},
    {"M", OPTION_MACHINE, "MACHINE", "what is built: pc (default) or microvm"},
    {"machine", OPTION_MACHINE, "MACHINE", NULL},
    {"drive", OPTION_DRIVE, "DISK",
     "a disk: file=IMAGE[,if=virtio|scsi|none][,format=raw|qcow2]\n[,readonly=on][,cache=none]\n"
     "[,serial=TEXT][,media=cdrom][,id=NAME]"},
    {"nic", OPTION_NIC, "NETWORK",
     "a network card: none, user[,hostfwd=tcp::8080-:80],\ntap,ifname=NAME or "
     "dgram,local.type=fd,local.str=N;\n[,mac=ADDRESS]"},
    {"netdev", OPTION_NETDEV, "NETWORK", "a network for a card: as -nic, with id=NAME; or help"},
    {"device", OPTION_DEVICE, "DEVICE",
     "a device: KIND[,PROPERTY=VALUE]...; \"help\" lists the kinds,\n\"KIND,help\" what may be "
     "said of one"},
    {"no-reboot", OPTION_NO_REBOOT, NULL, "end when the guest resets, instead of booting again"},
    {"nographic", OPTION_NOGRAPHIC, NULL, "no screen: true anyway, the serial port is the console"},
    {"trace", OPTION_TRACE, "FILE", "write the last 65536 exits to FILE, for ui.perfetto.dev"},
    {"stats", OPTION_STATS, NULL, "count exits; print the counts at the end and on SIGUSR1"},
    {"help", OPTION_HELP, NULL, "this text"},
    {"h", OPTION_HELP, NULL, NULL},
};

static const char *most_alike(const char *name)
{
    struct spelling spelling = spelling_of(name);

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        spelling_offer(&spelling, rows[i].name);
    return spelling.best;
}

static const struct option_row *find_option(const char *argument, struct refusal *why)
{
    const char *name = argument + (strncmp(argument, "--", 2) == 0 ? 2 : 1);
    const char *alike;

    if (argument[0] != '-') {
        refuse(why, 0, "\"%.80s\" is no option: a kernel is given as -kernel FILE", argument);
        return NULL;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    alike = most_alike(name);
    if (alike)
        refuse(why, 0, "unknown option %.80s: did you mean -%s?", argument, alike);
    else
        refuse(why, 0, "unknown option %.80s: -help lists those there are", argument);
    return NULL;
}

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

static int append(struct option_list *list, const char *name, const char *value,
                  struct refusal *why)
{
    if (list->count == OPTIONS_LIST_MAX)
        return refuse(why, -EINVAL, "-%s %.80s: %u at most", name, value, OPTIONS_LIST_MAX);
    list->values[list->count++] = value;
    return 0;
}

static int apply(struct options *options, enum option_id id, const char *value, struct refusal *why)
{
    switch (id) {
    case OPTION_KERNEL: options->kernel = value; break;
    case OPTION_INITRD: options->initrd = value; break;
    case OPTION_APPEND: options->cmdline = value; break;
    case OPTION_MEMORY: return parse_memory(value, &options->ram, why);
    case OPTION_PROCESSORS: return topology_parse(&options->topology, value, why);
    case OPTION_MACHINE: return parse_machine(value, &options->machine, why);
    case OPTION_NETDEV: return append(&options->netdevs, "netdev", value, why);
    case OPTION_DRIVE: return append(&options->drives, "drive", value, why);
    case OPTION_NIC: return append(&options->nics, "nic", value, why);
    case OPTION_DEVICE: return append(&options->devices, "device", value, why);
    case OPTION_NO_REBOOT: options->no_reboot = true; break;
    case OPTION_NOGRAPHIC: break;
    case OPTION_TRACE: options->trace = value; break;
    case OPTION_STATS: options->stats = true; break;
    case OPTION_HELP: options->help = true; break;
    }
    return 0;
}

int options_parse(struct options *options, int argc, char *const argv[], struct refusal *why)
{
    *options = (struct options){
        .cmdline = DEFAULT_CMDLINE, .ram = RAM_DEFAULT, .topology = {1, 1, 1}};
    for (int i = 1; i < argc; i++) {
        const struct option_row *row = find_option(argv[i], why);
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
        error = apply(options, row->id, value, why);
        if (error < 0)
            return error;
    }
    if (!options->kernel && !options->help)
        return refuse(why, -EINVAL, "no kernel: give one with -kernel FILE (-help lists options)");
    return 0;
}

/* "  -m SIZE            text", where a line break in the text keeps the column. */
static void print_row(FILE *out, const struct option_row *row)
{
    int used = fprintf(out, "  -%s%s%s", row->name, row->value ? " " : "",
                       row->value ? row->value : "");

    fprintf(out, "%*s", used < 18 ? 18 - used : 1, "");
    for (const char *c = row->text; *c; c++) {
        fputc(*c, out);
        if (*c == '\n')
            fprintf(out, "%18s", "");
    }
    fprintf(out, "\n");
}

void options_print_help(FILE *out)
{
    fprintf(out, "usage: vmm -kernel FILE [OPTION]...\n"
                 "\n"
                 "Boots Linux in a virtual machine on /dev/kvm, its serial console on this\n"
                 "terminal.\n"
                 "\n");
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].text)
            print_row(out, &rows[i]);
    fprintf(out,
            "\n"
            "keys: Ctrl-A x quits, Ctrl-A h lists the others\n"
            "\n"
            "exit status:\n"
            "  %d  the guest powered off or halted for good, or you quit\n"
            "  %d  an option, a file or the host was no good; no guest has run\n"
            "  %d  the guest reset itself, under -no-reboot\n"
            "  %d  the guest crashed (triple fault)\n"
            "  %d  KVM could not go on; standard error says why\n"
            "  else ended by a signal: 128 + its number, as the shell counts\n",
            STATUS_OFF, STATUS_REFUSED, STATUS_RESET, STATUS_CRASH, STATUS_STUCK);
}
