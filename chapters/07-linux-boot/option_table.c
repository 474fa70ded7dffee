/*
 * option_table.c: see option_table.h. An option that is not in the table is refused by
 * name: a VMM that ignored "-snapshot" would write to someone's disk.
 */
#include "07-linux-boot/option_table.h"

#include <string.h>

#include "04-devices/ending.h"
#include "07-linux-boot/options.h"
#include "07-linux-boot/spelling.h"

/* Column of the texts. */
#define INDENT 18

const struct option_row option_table[] = {
    {"kernel", OPTION_KERNEL, "FILE", "the Linux kernel to boot: a bzImage or an ELF vmlinux"},
    {"initrd", OPTION_INITRD, "FILE", "its initial RAM disk"},
    {"append", OPTION_APPEND, "TEXT", "its command line, instead of\n\"" DEFAULT_CMDLINE "\""},
    {"M", OPTION_MACHINE, "MACHINE", "what is built: pc (default) or microvm"},
    {"machine", OPTION_MACHINE, "MACHINE", NULL},
    {"cpu", OPTION_CPU, "MODEL",
     "the processors: host (default) or max, then ,+FLAG or ,-FLAG;\n\"help\" lists the flags"},
    {"m", OPTION_MEMORY, "SIZE", "memory: a number of MiB, or with K, M, G or T (default 512)"},
    {"mem-path", OPTION_MEM_PATH, "FOLDER", "memory comes from FOLDER: of huge pages, or a tmpfs"},
    {"mem-prealloc", OPTION_MEM_PREALLOC, NULL, "take all memory before the guest runs"},
    {"smp", OPTION_PROCESSORS, "N",
     "processors: N[,sockets=N][,cores=N][,threads=N], 1 to 16\n(default 1)"},
    {"drive", OPTION_DRIVE, "DISK",
     "a disk: file=IMAGE[,if=virtio|scsi|none][,format=raw|qcow2]\n[,readonly=on][,cache=none]\n"
     "[,snapshot=on][,serial=TEXT][,media=cdrom][,id=NAME]"},
    {"hda", OPTION_HDA, "IMAGE", "a SCSI disk: -drive file=IMAGE,if=scsi"},
    {"cdrom", OPTION_CDROM, "IMAGE", "a SCSI CD-ROM: ...,if=scsi,media=cdrom,readonly=on"},
    {"snapshot", OPTION_SNAPSHOT, NULL, "what is written to disks is forgotten at the end"},
    {"nic", OPTION_NIC, "NETWORK",
     "a network card: none, user[,hostfwd=tcp::8080-:80],\ntap,ifname=NAME or "
     "dgram,local.type=fd,local.str=N;\n[,mac=ADDRESS]"},
    {"netdev", OPTION_NETDEV, "NETWORK", "a network for a card: as -nic, with id=NAME; or help"},
    {"serial", OPTION_SERIAL, "END",
     "what is behind the next serial port: mon:stdio (the first's\n"
     "default), stdio, null, none, pty, file:FILE, pipe:FILE,\n"
     "unix:PATH[,server=on][,wait=off], tcp:HOST:PORT[,server=on],\nchardev:NAME"},
    {"chardev", OPTION_CHARDEV, "END",
     "something behind a port: stdio, null, file, pipe, pty or\nsocket, with id=NAME; or help"},
    {"monitor", OPTION_MONITOR, "END", "where the monitor is, as -serial; without it Ctrl-A c"},
    {"device", OPTION_DEVICE, "DEVICE",
     "a device: KIND[,PROPERTY=VALUE]...; \"help\" lists the kinds,\n\"KIND,help\" what may be "
     "said of one"},
    {"name", OPTION_NAME, "NAME", "a name for the machine, which the monitor tells"},
    {"vnc", OPTION_VNC, "PLACE",
     "a text screen and a keyboard, for VNC clients at :DISPLAY\n"
     "(this host's; there is no password), HOST:DISPLAY, unix:PATH"},
    {"gdb", OPTION_GDB, "END",
     "let a debugger come: tcp::PORT (this host's programs alone),\n"
     "tcp:ADDRESS:PORT, unix:PATH, pty"},
    {"s", OPTION_GDB_SHORT, NULL, "-gdb tcp::1234"},
    {"S", OPTION_STOPPED, NULL,
     "wait for the monitor's \"cont\", or a debugger's, before the\n"
     "guest runs"},
    {"no-reboot", OPTION_NO_REBOOT, NULL, "end when the guest resets, instead of booting again"},
    {"nographic", OPTION_NOGRAPHIC, NULL, "no screen: true anyway, the serial port is the console"},
    {"daemonize", OPTION_DAEMONIZE, NULL, "go to the background when all is set up"},
    {"pidfile", OPTION_PIDFILE, "FILE", "write the process's number to FILE"},
    {"sandbox", OPTION_SANDBOX, "on|off",
     "may threads make only the system calls they need? (default\non; \"help\" lists them) "
     "on,discs=FOLDER: where the monitor\nfinds other discs"},
    {"runas", OPTION_RUNAS, "USER", "become USER (a name, or UID:GID) before the guest runs"},
    {"chroot", OPTION_CHROOT, "FOLDER", "make FOLDER the root folder before the guest runs"},
    {"jail", OPTION_JAIL, NULL, "let this process see no file and no network but what is open"},
    {"trace", OPTION_TRACE, "FILE", "write the last 65536 exits to FILE, for ui.perfetto.dev"},
    {"stats", OPTION_STATS, NULL, "count exits; print the counts at the end and on SIGUSR1"},
    {"version", OPTION_VERSION, NULL, "say which version this is"},
    {"help", OPTION_HELP, NULL, "this text"},
    {"h", OPTION_HELP, NULL, NULL},
    {.name = NULL},
};

/* What people who know QEMU will look for first, and why it is not here. */
static const struct {
    const char *name, *why;
} lacking[] = {
    {"display", "a screen is there with -vnc"},
    {"vga", "a screen is there with -vnc, and has text only"},
    {"accel", "it is KVM anyway"},
    {"enable-kvm", "it is KVM anyway"},
    {"bios", "there is no firmware: kernels are booted by their own protocols"},
    {"boot", "there is no firmware: give a kernel with -kernel"},
    {"loadvm", "machines are not saved"},
    {"incoming", "machines do not migrate"},
    {"qmp", "there is the monitor for people alone"},
};

static void refuse_unknown(const char *argument, const char *name, struct refusal *why)
{
    struct spelling spelling = spelling_of(name);

    for (unsigned i = 0; i < sizeof lacking / sizeof lacking[0]; i++)
        if (strcmp(lacking[i].name, name) == 0) {
            refuse(why, 0, "no option %.80s here: %s", argument, lacking[i].why);
            return;
        }
    for (const struct option_row *row = option_table; row->name; row++)
        spelling_offer(&spelling, row->name);
    if (spelling.best)
        refuse(why, 0, "unknown option %.80s: did you mean -%s?", argument, spelling.best);
    else
        refuse(why, 0, "unknown option %.80s: -help lists those there are", argument);
}

const struct option_row *option_find(const char *argument, struct refusal *why)
{
    const char *name = argument + (strncmp(argument, "--", 2) == 0 ? 2 : 1);

    if (argument[0] != '-') {
        refuse(why, 0, "\"%.80s\" is no option: a kernel is given as -kernel FILE", argument);
        return NULL;
    }
    for (const struct option_row *row = option_table; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    refuse_unknown(argument, name, why);
    return NULL;
}

/* "  -m SIZE            text", where a line break in the text keeps the column. */
static void print_row(FILE *out, const struct option_row *row)
{
    int used = fprintf(out, "  -%s%s%s", row->name, row->value ? " " : "",
                       row->value ? row->value : "");

    fprintf(out, "%*s", used < INDENT ? INDENT - used : 1, "");
    for (const char *c = row->text; *c; c++) {
        fputc(*c, out);
        if (*c == '\n')
            fprintf(out, "%*s", INDENT, "");
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
    for (const struct option_row *row = option_table; row->name; row++)
        if (row->text)
            print_row(out, row);
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
            "  %d  a thread made a system call it had given up (-sandbox)\n"
            "  else ended by a signal: 128 + its number, as the shell counts\n",
            STATUS_OFF, STATUS_REFUSED, STATUS_RESET, STATUS_CRASH, STATUS_STUCK, STATUS_FORBIDDEN);
}
