/*
 * privileges.h: what the process still needs from the host once everything is open: nothing.
 *
 *     ... the kernel's file, images, networks, /dev/kvm are open; there is one thread ...
 *     privileges_drop(&privileges, &why);
 *     ... threads, the sandbox, the first KVM_RUN ...
 *
 * A filter of system calls says what a thread may ask for. This says what it would get: no
 * capability, also not as root; no core file with the guest's memory in it; with -runas
 * another user's rights, with -chroot or -jail no file of the host (jail.h).
 */
#ifndef CHAPTER_07_PRIVILEGES_H
#define CHAPTER_07_PRIVILEGES_H

#include <stdbool.h>

#include "common/refusal.h"

struct privileges {
    const char *user;  /* -runas: a name, or UID:GID; NULL: stay who we are */
    const char *root;  /* -chroot: a folder; NULL: no */
    bool jail;         /* -jail */
    bool host_network; /* connections will be made in the guest's name */
};

/* 0, or -errno with why->text, which begins with the option's name. There is no way back. */
int privileges_drop(const struct privileges *privileges, struct refusal *why);

#endif
