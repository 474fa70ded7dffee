/*
 * jail.h: -jail: a root folder in which there is nothing.
 *
 *                      before                        in the jail
 *     files            the host's                    none; the root cannot be written to
 *     networks         the host's                    none, unless the guest's user network
 *                                                    needs the host's
 *     System V IPC, host name                        new ones
 *     users            all                           us
 *
 * Descriptors that are open stay open: to close the doors does not empty the house.
 */
#ifndef CHAPTER_07_JAIL_H
#define CHAPTER_07_JAIL_H

#include <stdbool.h>

#include "common/refusal.h"

/*
 * For the process, which has one thread. With host_network it keeps the network, and finds a
 * copy of /etc/resolv.conf. 0, or -errno with why->text: the host does not let us.
 */
int jail_enter(bool host_network, struct refusal *why);

#endif
