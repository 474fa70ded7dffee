/*
 * inventory.c: see inventory.h. Back ends come first, so that a device may stand before
 * the drive it names; those that a short form adds come before those with a -device, as
 * their order on the bus tells the guest.
 */
#include "07-linux-boot/inventory.h"

#include <errno.h>
#include <string.h>

#include "07-linux-boot/short_forms.h"
#include "07-linux-boot/spelling.h"
#include "common/bits.h"

static int refuse_name(const struct spelling *spelling, const char *key, const char *thing,
                       struct refusal *why)
{
    if (spelling->word[0] == '\0')
        return refuse(why, -EINVAL, "has no %s=", key);
    if (spelling->best)
        return refuse(why, -EINVAL, "%s=%.80s: no %s has that name: did you mean %s?", key,
                      spelling->word, thing, spelling->best);
    return refuse(why, -EINVAL, "%s=%.80s: no %s has that name", key, spelling->word, thing);
}

/* True the first time. */
static bool take(bool *taken, const char *key, const char *id, struct refusal *why)
{
    if (*taken) {
        refuse(why, 0, "%s=%s: another device is in front of it", key, id);
        return false;
    }
    *taken = true;
    return true;
}

struct drive *inventory_take_drive(struct inventory *inventory, const char *id, struct refusal *why)
{
    struct drive *drive = drives_find(&inventory->drives, id);
    struct spelling spelling = spelling_of(id);

    if (drive && *id)
        return take(&drive->taken, "drive", id, why) ? drive : NULL;
    for (unsigned i = 0; i < inventory->drives.count; i++)
        spelling_offer(&spelling, inventory->drives.list[i]->id);
    refuse_name(&spelling, "drive", "-drive", why);
    return NULL;
}

struct netdev *inventory_take_netdev(struct inventory *inventory, const char *id,
                                     struct refusal *why)
{
    struct netdev *netdev = netdevs_find(&inventory->netdevs, id);
    struct spelling spelling = spelling_of(id);

    if (netdev && *id)
        return take(&netdev->taken, "netdev", id, why) ? netdev : NULL;
    for (unsigned i = 0; i < inventory->netdevs.count; i++)
        spelling_offer(&spelling, inventory->netdevs.list[i]->id);
    refuse_name(&spelling, "netdev", "-netdev", why);
    return NULL;
}

struct char_end *inventory_take_chardev(struct inventory *inventory, const char *id,
                                        struct refusal *why)
{
    struct char_end *end = chardevs_find(&inventory->chardevs, id);
    struct spelling spelling = spelling_of(id);

    if (end && *id)
        return take(&end->taken, "chardev", id, why) ? end : NULL;
    for (unsigned i = 0; i < inventory->chardevs.count; i++)
        spelling_offer(&spelling, inventory->chardevs.list[i]->id);
    refuse_name(&spelling, "chardev", "-chardev", why);
    return NULL;
}

static int add_chardev(struct inventory *inventory, struct properties *given, struct refusal *why)
{
    return chardevs_add(&inventory->chardevs, given, why);
}

static int add_netdev(struct inventory *inventory, struct properties *given, struct refusal *why)
{
    return netdevs_add(&inventory->netdevs, given, why);
}

/* Each occurrence of an option, in order. */
static int read_list(struct inventory *inventory, const char *option,
                     const struct option_list *list, const char *first,
                     int (*add)(struct inventory *inventory, struct properties *given,
                                struct refusal *why),
                     struct refusal *why)
{
    for (unsigned i = 0; i < list->count; i++) {
        struct properties given;
        struct refusal inner;
        int error = properties_read(&given, list->values[i], first, &inner);

        if (error == 0) {
            error = add(inventory, &given, &inner);
            properties_free(&given);
        }
        if (error < 0)
            return refuse(why, error, "-%s %.100s: %s", option, list->values[i], inner.text);
    }
    return 0;
}

static int check_used(const struct inventory *inventory, struct refusal *why)
{
    for (unsigned i = 0; i < inventory->drives.count; i++)
        if (!inventory->drives.list[i]->taken)
            return refuse(why, -EINVAL, "-drive id=%s: no device has drive=%s",
                          inventory->drives.list[i]->id, inventory->drives.list[i]->id);
    for (unsigned i = 0; i < inventory->netdevs.count; i++)
        if (!inventory->netdevs.list[i]->taken)
            return refuse(why, -EINVAL, "-netdev id=%s: no device has netdev=%s",
                          inventory->netdevs.list[i]->id, inventory->netdevs.list[i]->id);
    for (unsigned i = 0; i < inventory->chardevs.count; i++)
        if (!inventory->chardevs.list[i]->taken)
            return refuse(why, -EINVAL, "-chardev id=%s: no device has chardev=%s",
                          inventory->chardevs.list[i]->id, inventory->chardevs.list[i]->id);
    return 0;
}

int inventory_read(struct inventory *inventory, const struct options *options, struct refusal *why)
{
    const struct {
        const char *option;
        const struct option_list *list;
        const char *first;
        int (*add)(struct inventory *inventory, struct properties *given, struct refusal *why);
    } lists[] = {
        {"chardev", &options->chardevs, "type", add_chardev},
        {"netdev", &options->netdevs, "type", add_netdev},
        {"drive", &options->drives, NULL, short_form_drive},
        {"nic", &options->nics, "type", short_form_nic},
        {"device", &options->devices, "driver", devices_add},
    };
    int error;

    *inventory = (struct inventory){.pci = options->machine == MACHINE_PC,
                                    .snapshot = options->snapshot};
    error = short_form_disks(inventory, options, why);
    for (unsigned i = 0; i < ARRAY_SIZE(lists) && error == 0; i++)
        error = read_list(inventory, lists[i].option, lists[i].list, lists[i].first, lists[i].add,
                          why);
    if (error == 0)
        error = short_form_serial(inventory, options, why);
    if (error == 0 && options->vnc && strcmp(options->vnc, "none") != 0) {
        inventory->screen = true;
        error = inventory->pci ? vnc_read(&inventory->vnc, options->vnc, why)
                               : refuse(why, -EINVAL, "-vnc: a microvm has no screen");
    }
    if (error == 0 && options->stopped && !inventory->monitor && !inventory->monitor_behind &&
        !inventory->gdb)
        error = refuse(why, -EINVAL,
                       "-S: there is neither monitor nor debugger that would end the wait");
    if (error == 0 && options->daemonize && chardevs_terminal(&inventory->chardevs))
        error = refuse(why, -EINVAL, "-daemonize: the terminal is not there any more for %s",
                       chardevs_terminal(&inventory->chardevs)->id);
    if (error == 0)
        error = check_used(inventory, why);
    if (error < 0)
        inventory_free(inventory);
    return error;
}

int inventory_open(struct inventory *inventory, struct console *console, struct refusal *why)
{
    int error = drives_open(&inventory->drives, why);

    if (error == 0)
        error = netdevs_open(&inventory->netdevs, why);
    return error < 0 ? error : chardevs_open(&inventory->chardevs, console, why);
}

void inventory_start(struct inventory *inventory)
{
    netdevs_start(&inventory->netdevs);
}

void inventory_free(struct inventory *inventory)
{
    devices_free(&inventory->devices);
    drives_close(&inventory->drives);
    netdevs_close(&inventory->netdevs);
    chardevs_close(&inventory->chardevs);
}

static bool asks(const struct option_list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        if (strcmp(list->values[i], "help") == 0)
            return true;
    return false;
}

int inventory_answer(FILE *out, const struct options *options, struct refusal *why)
{
    if (asks(&options->devices))
        devices_print(out);
    if (asks(&options->netdevs))
        netdevs_print(out);
    if (asks(&options->chardevs))
        chardevs_print(out);
    for (unsigned i = 0; i < options->devices.count; i++) {
        const char *text = options->devices.values[i], *comma = strrchr(text, ',');
        char name[64];

        if (!comma || strcmp(comma, ",help") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(comma - text), text);
        if (devices_print_one(out, name, why) < 0)
            return -EINVAL;
    }
    return 0;
}
