/*
 * confine.h: what the command line says about confinement, done in its order.
 *
 *     confine_prepare          -sandbox on: the lists, for threads that start from now on
 *     confine_start_clerk      who opens, removes and connects when we cannot (clerk.h)
 *     confine_drop_privileges  capabilities, -runas, -chroot, -jail (privileges.h, jail.h)
 *
 * Each ends the program with a line on standard error if it cannot do what was asked: who
 * asked to be confined is not served without. book/threat-model.md says who trusts whom.
 */
#ifndef CHAPTER_07_CONFINE_H
#define CHAPTER_07_CONFINE_H

#include <stdbool.h>

#include "07-linux-boot/clerk.h"
#include "07-linux-boot/inventory.h"
#include "07-linux-boot/options.h"

/* Before the first thread. Is there a sandbox to enter? */
bool confine_prepare(const struct options *options);

/*
 * Before anything is opened. Clerk must outlast inventory, whose chardevs with reconnect=
 * ask it to connect for them.
 */
void confine_start_clerk(struct clerk *clerk, const struct options *options,
                         struct inventory *inventory);

/* When everything is open, and no thread but the caller's has started. */
void confine_drop_privileges(const struct options *options, const struct inventory *inventory);

#endif
