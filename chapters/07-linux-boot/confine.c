/*
 * confine.c: what the command line says about confinement, done in its order. See confine.h.
 */
#define _GNU_SOURCE
#include "07-linux-boot/confine.h"

#include "07-linux-boot/privileges.h"
#include "07-linux-boot/sandbox.h"
#include "common/die.h"

/* Threads that start from now on enter theirs. */
bool confine_prepare(const struct options *options)
{
    struct refusal why;

    if (options->sandbox != SANDBOX_ON)
        return false;
    if (!sandbox_is_possible())
        die("-sandbox on: not in a build with sanitizers, which open files when they like");
    if (sandbox_prepare(&why) < 0)
        die("-sandbox on: %s", why.text);
    return true;
}

/* One of the clerk's addresses, for the chardev that goes there. */
struct errand {
    const struct clerk *clerk;
    unsigned address;
};

static int run_errand(void *self)
{
    const struct errand *errand = self;

    return clerk_call(errand->clerk, errand->address);
}

static void add_errands(struct clerk_duties *duties, const struct clerk *clerk,
                        struct chardevs *chardevs)
{
    static struct errand errands[CLERK_CALLS];

    for (unsigned i = 0; i < chardevs->count; i++) {
        struct char_end *end = chardevs->list[i];

        if (end->reconnect == 0)
            continue;
        errands[duties->call_count] = (struct errand){clerk, duties->call_count};
        end->caller = (struct chardev_caller){run_errand, &errands[duties->call_count]};
        duties->calls[duties->call_count++] = &end->address;
    }
}

/* Who opens and removes files, and connects, when we cannot. */
void confine_start_clerk(struct clerk *clerk, const struct options *options,
                         struct inventory *inventory)
{
    struct clerk_duties duties = {.folder = options->discs[0] ? options->discs : NULL,
                                  .enter = sandbox_enter_as_clerk};
    struct refusal why;

    if (options->pidfile)
        duties.removals[duties.removal_count++] = options->pidfile;
    for (unsigned i = 0; i < inventory->chardevs.count; i++)
        if (chardevs_removes(inventory->chardevs.list[i]))
            duties.removals[duties.removal_count++] = inventory->chardevs.list[i]->path;
    if (inventory->screen && !inventory->vnc.port[0])
        duties.removals[duties.removal_count++] = inventory->vnc.host;
    add_errands(&duties, clerk, &inventory->chardevs);
    if (clerk_start(clerk, &duties, &why) < 0)
        die("-sandbox: %s", why.text);
}

/* Everything is open, and no thread but this one has started. */
void confine_drop_privileges(const struct options *options, const struct inventory *inventory)
{
    struct privileges privileges = {.user = options->runas,
                                    .root = options->chroot,
                                    .jail = options->jail,
                                    .host_network = netdevs_have_user(&inventory->netdevs)};
    bool asked = options->runas || options->chroot || options->jail;
    struct refusal why;

    if ((asked || options->sandbox == SANDBOX_ON) && privileges_drop(&privileges, &why) < 0)
        die("%s", why.text);
}
