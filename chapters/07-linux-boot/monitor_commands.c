/*
 * monitor_commands.c: what the monitor can be told and asked: one table of commands, one of
 * questions. Names and answers are close to QEMU's.
 *
 * Left out on purpose: devices that come and go, snapshots of machines, migration.
 */
#define _GNU_SOURCE
#include "07-linux-boot/monitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/devices/balloon.h"
#include "07-linux-boot/devices/scsi.h"
#include "07-linux-boot/spelling.h"
#include "common/bits.h"

struct command {
    const char *name;
    const char *also;     /* another name, or NULL */
    const char *argument; /* what it is called, or NULL: it takes none */
    const char *text;
    void (*run)(struct monitor *m, const char *argument, FILE *out);
};

/* ---- questions ---- */

static void info_status(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument;
    fprintf(out, "VM status: %s\n", m->machine->pauses ? "paused" : "running");
}

static void info_name(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument;
    if (m->name)
        fprintf(out, "%s\n", m->name);
}

/* Paused: the registers of a processor that runs are nobody's to look at. */
static void info_cpus(struct monitor *m, const char *argument, FILE *out)
{
    struct machine *machine = m->machine;

    (void)argument;
    machine_pause(machine);
    for (unsigned i = 0; i < machine->processor_count; i++) {
        const struct vcpu *vcpu = &machine->processors[i].vcpu;
        struct kvm_regs regs;

        vcpu_get_regs(vcpu, &regs);
        fprintf(out, "CPU #%u: APIC id %u, rip 0x%016" PRIx64 "\n", i, vcpu->id,
                (uint64_t)regs.rip);
    }
    machine_resume(machine);
}

static void info_block(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument;
    for (unsigned i = 0; i < m->inventory->drives.count; i++) {
        const struct drive *drive = m->inventory->drives.list[i];

        fprintf(out, "%s: %s (%s%s%s), %" PRIu64 " bytes\n", drive->id, drive->file,
                drive->format == DRIVE_QCOW2 ? "qcow2" : "raw",
                drive->read_only ? ", read-only" : "", drive->snapshot ? ", snapshot" : "",
                drive->open ? drive->disk->size : 0);
    }
}

static void info_network(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument;
    for (unsigned i = 0; i < m->inventory->netdevs.count; i++) {
        const struct netdev *netdev = m->inventory->netdevs.list[i];

        fprintf(out, "%s: %s%s%s\n", netdev->id, netdev->kind->name,
                netdev->interface[0] ? ", interface " : "", netdev->interface);
    }
}

static void info_chardev(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument;
    for (unsigned i = 0; i < m->inventory->chardevs.count; i++) {
        const struct char_end *end = m->inventory->chardevs.list[i];
        bool there = end->back.console || end->back.connected;

        fprintf(out, "%s: %s%s%s%s\n", end->id, end->kind->name, end->path[0] ? " " : "", end->path,
                there ? "" : ", nobody there");
    }
}

static void info_qtree(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument;
    for (unsigned i = 0; i < m->inventory->devices.count; i++) {
        const struct device *device = m->inventory->devices.list[i];

        fprintf(out, "%s%s%s%s\n", device->kind->on == BUS_VIRTIO ? "" : "  ", device->kind->name,
                device->id[0] ? ", id " : "", device->id);
    }
}

/* What a driver has been told of, and what it has not. The counters begin with the machine. */
static void info_virtio(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument;
    pthread_mutex_lock(&m->machine->devices.lock);
    for (unsigned i = 0; i < m->inventory->devices.count; i++) {
        const struct device *device = m->inventory->devices.list[i];
        const struct virtio_device *virtio = device->slot.device;

        if (device->kind->on != BUS_VIRTIO || !device->plugged)
            continue;
        fprintf(out,
                "%s%s%s: %s, status 0x%x; rules broken %" PRIu64 ", failed requests %" PRIu64
                ", dropped frames %" PRIu64 "\n",
                device->kind->name, device->id[0] ? ", id " : "", device->id,
                virtio_device_live(virtio) ? "live" : "not live", virtio->status, virtio->breaks,
                virtio->errors, virtio->dropped);
        if (virtio->status & VIRTIO_CONFIG_S_NEEDS_RESET)
            fprintf(out, "  needs a reset: %s\n", virtio->trouble);
    }
    pthread_mutex_unlock(&m->machine->devices.lock);
}

static struct balloon_card *find_balloon(const struct inventory *inventory)
{
    for (unsigned i = 0; i < inventory->devices.count; i++)
        if (inventory->devices.list[i]->kind == &device_balloon)
            return (struct balloon_card *)inventory->devices.list[i];
    return NULL;
}

static void no_balloon(FILE *out)
{
    fprintf(out, "there is no balloon: -device virtio-balloon-pci\n");
}

/* actual: what the guest has left, in MiB, as its driver says. */
static void info_balloon(struct monitor *m, const char *argument, FILE *out)
{
    struct balloon_card *card = find_balloon(m->inventory);
    struct virtio_balloon *balloon = card ? &card->balloon : NULL;

    (void)argument;
    if (!card) {
        no_balloon(out);
        return;
    }
    pthread_mutex_lock(&m->machine->devices.lock);
    fprintf(out, "balloon: actual=%" PRIu64 " target=%" PRIu64 " reported=%" PRIu64 "\n",
            (m->ram - (uint64_t)virtio_balloon_actual(balloon) * GUEST_PAGE_SIZE) / MIB,
            (m->ram - (uint64_t)card->target * GUEST_PAGE_SIZE) / MIB, balloon->reported / MIB);
    if (balloon->values[VIRTIO_BALLOON_S_MEMTOT])
        fprintf(out, "guest: total=%" PRIu64 " free=%" PRIu64 " available=%" PRIu64 "\n",
                balloon->values[VIRTIO_BALLOON_S_MEMTOT] / MIB,
                balloon->values[VIRTIO_BALLOON_S_MEMFREE] / MIB,
                balloon->values[VIRTIO_BALLOON_S_AVAIL] / MIB);
    virtio_balloon_ask(balloon); /* newer ones for the next time */
    pthread_mutex_unlock(&m->machine->devices.lock);
}

static void info_version(struct monitor *m, const char *argument, FILE *out)
{
    (void)m, (void)argument;
    fprintf(out, "vmm of Ring -1, chapter 7\n");
}

static const struct command questions[] = {
    {"balloon", NULL, NULL, "how much memory the guest has left, in MiB", info_balloon},
    {"block", NULL, NULL, "the disks", info_block},
    {"chardev", NULL, NULL, "what is behind serial and virtio ports", info_chardev},
    {"cpus", NULL, NULL, "the processors, and where they are", info_cpus},
    {"name", NULL, NULL, "what -name said", info_name},
    {"network", NULL, NULL, "the networks", info_network},
    {"qtree", NULL, NULL, "the devices", info_qtree},
    {"status", NULL, NULL, "does it run?", info_status},
    {"version", NULL, NULL, "of this program", info_version},
    {"virtio", NULL, NULL, "what virtio devices have refused, failed and dropped", info_virtio},
};

/* ---- commands ---- */

static void help(struct monitor *m, const char *argument, FILE *out);
static void info(struct monitor *m, const char *argument, FILE *out);

/* How much memory the guest shall keep. */
static void set_balloon(struct monitor *m, const char *argument, FILE *out)
{
    struct balloon_card *card = find_balloon(m->inventory);
    char *end;
    unsigned long long target = strtoull(argument, &end, 10);

    if (*argument < '0' || *argument > '9' || *end || target > m->ram / MIB) {
        fprintf(out, "balloon %.40s: not a number of MiB from 0 to %" PRIu64 "\n", argument,
                m->ram / MIB);
        return;
    }
    if (!card) {
        no_balloon(out);
        return;
    }
    card->target = (uint32_t)((m->ram - target * MIB) / GUEST_PAGE_SIZE);
    pthread_mutex_lock(&m->machine->devices.lock);
    virtio_balloon_set_target(&card->balloon, card->target);
    pthread_mutex_unlock(&m->machine->devices.lock);
}

static void stop(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument, (void)out;
    if (!m->stopped)
        machine_pause(m->machine);
    m->stopped = true;
}

static void cont(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument, (void)out;
    monitor_let_go(m);
}

static void eject(struct monitor *m, const char *argument, FILE *out)
{
    struct refusal why;

    if (scsi_disc_eject(m->inventory, argument, &why) < 0)
        fprintf(out, "eject: %s\n", why.text);
}

static void change(struct monitor *m, const char *argument, FILE *out)
{
    char name[MONITOR_LINE];
    struct refusal why;
    int at = 0;

    if (sscanf(argument, "%255s %n", name, &at) < 1 || argument[at] == '\0')
        fprintf(out, "change: which drive, and which file? change DRIVE FILE\n");
    else if (scsi_disc_change(m->inventory, name, argument + at, &why) < 0)
        fprintf(out, "change: %s\n", why.text);
}

static void system_powerdown(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument, (void)out;
    pthread_mutex_lock(&m->machine->devices.lock);
    m->press(m->button);
    pthread_mutex_unlock(&m->machine->devices.lock);
}

static void system_reset(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument, (void)out;
    machine_end(m->machine, ENDING_RESET);
}

static void quit(struct monitor *m, const char *argument, FILE *out)
{
    (void)argument, (void)out;
    machine_end(m->machine, ENDING_QUIT);
}

static const struct command commands[] = {
    {"balloon", NULL, "MIB", "how much memory the guest shall keep", set_balloon},
    {"change", NULL, "DRIVE FILE", "put another disc into a CD-ROM drive", change},
    {"cont", "c", NULL, "let the guest run again", cont},
    {"eject", NULL, "DRIVE", "take the disc out of a CD-ROM drive", eject},
    {"help", "?", NULL, "this text", help},
    {"info", NULL, "WHAT", "answers; \"info\" alone lists what there is", info},
    {"quit", "q", NULL, "end the VMM, and the guest with it", quit},
    {"stop", "s", NULL, "let the guest stand still", stop},
    {"system_powerdown", NULL, NULL, "press the power button", system_powerdown},
    {"system_reset", NULL, NULL, "press the reset button", system_reset},
};

static void print_table(FILE *out, const char *before, const struct command *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s%s%s%s%s -- %s\n", before, rows[i].name, rows[i].also ? "|" : "",
                rows[i].also ? rows[i].also : "", rows[i].argument ? " " : "",
                rows[i].argument ? rows[i].argument : "", rows[i].text);
}

static void help(struct monitor *m, const char *argument, FILE *out)
{
    (void)m, (void)argument;
    print_table(out, "", commands, ARRAY_SIZE(commands));
}

/* Runs the row of that name with its argument, or says what was meant. */
static void run(struct monitor *m, const struct command *rows, size_t count, const char *name,
                const char *argument, FILE *out)
{
    struct spelling spelling = spelling_of(name);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0 || (rows[i].also && strcmp(rows[i].also, name) == 0)) {
            if (*argument && !rows[i].argument)
                fprintf(out, "%s takes no argument\n", name);
            else
                rows[i].run(m, argument, out);
            return;
        }
        spelling_offer(&spelling, rows[i].name);
    }
    if (spelling.best)
        fprintf(out, "unknown command \"%s\": did you mean %s?\n", name, spelling.best);
    else
        fprintf(out, "unknown command \"%s\": help lists those there are\n", name);
}

static void info(struct monitor *m, const char *argument, FILE *out)
{
    if (*argument)
        run(m, questions, ARRAY_SIZE(questions), argument, "", out);
    else
        print_table(out, "info ", questions, ARRAY_SIZE(questions));
}

void monitor_command(struct monitor *m, const char *line, FILE *out)
{
    char name[MONITOR_LINE], argument[MONITOR_LINE];
    int at = 0;

    if (sscanf(line, " %255s %n", name, &at) < 1)
        return;
    snprintf(argument, sizeof argument, "%s", line + at);
    for (size_t end = strlen(argument); end > 0 && argument[end - 1] == ' '; end--)
        argument[end - 1] = '\0';
    run(m, commands, ARRAY_SIZE(commands), name, argument, out);
}
