/*
 * privileges.c: see privileges.h. Open at hand: capabilities(7), credentials(7), setrlimit(2).
 *
 * The order matters. A user's number is looked up while there is an /etc; a root is changed
 * while there is a right to; the user changes while there is one; the capabilities go last,
 * and the bounding set before them, for that needs one of them.
 *
 * Left out on purpose: RLIMIT_FSIZE, since a disk may be as large as its image; limits on
 * memory and processor time, which whoever starts the VMM sets from outside (cgroups(7)).
 */
#define _GNU_SOURCE
#include "07-linux-boot/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "07-linux-boot/jail.h"

#define PASSWD "/etc/passwd"

/* Descriptors: enough for a machine full of devices, and for the guest's connections. */
#define FILES_MAX 4096u

struct identity {
    uid_t user;
    gid_t group;
};

/* getpwnam() would load the host's name services, as shared libraries. */
static int find_user(const char *name, struct identity *identity, struct refusal *why)
{
    FILE *file = fopen(PASSWD, "re");
    struct passwd *entry;

    if (!file)
        return refuse(why, -errno, "-runas %.80s: %s: %s", name, PASSWD, strerror(errno));
    while ((entry = fgetpwent(file)) && strcmp(entry->pw_name, name) != 0)
        ;
    if (entry)
        *identity = (struct identity){entry->pw_uid, entry->pw_gid};
    fclose(file);
    return entry ? 0 : refuse(why, -ENOENT, "-runas %.80s: no such user in %s", name, PASSWD);
}

static int find_identity(const char *text, struct identity *identity, struct refusal *why)
{
    char *end;
    unsigned long user = strtoul(text, &end, 10), group;

    if (text[0] < '0' || text[0] > '9')
        return find_user(text, identity, why);
    if (*end != ':' || end[1] < '0' || end[1] > '9')
        return refuse(why, -EINVAL, "-runas %.80s: not a user's name, and not UID:GID", text);
    group = strtoul(end + 1, &end, 10);
    if (*end || user >= UINT32_MAX || group >= UINT32_MAX)
        return refuse(why, -EINVAL, "-runas %.80s: not a user's name, and not UID:GID", text);
    *identity = (struct identity){(uid_t)user, (gid_t)group};
    return 0;
}

/* Its groups go, too: what they were good for is open. */
static int become(const char *text, const struct identity *identity, struct refusal *why)
{
    if (setgroups(0, NULL) < 0 ||
        setresgid(identity->group, identity->group, identity->group) < 0 ||
        setresuid(identity->user, identity->user, identity->user) < 0)
        return refuse(why, -errno, "-runas %.80s: %s: only root may become somebody else", text,
                      strerror(errno));
    return 0;
}

static int change_root(const char *folder, struct refusal *why)
{
    if (chroot(folder) < 0 || chdir("/") < 0)
        return refuse(why, -errno, "-chroot %.80s: %s%s", folder, strerror(errno),
                      errno == EPERM ? ": only root may; -jail needs no root" : "");
    return 0;
}

static void limit(int resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now) < 0)
        return;
    now.rlim_max = now.rlim_max < most ? now.rlim_max : most;
    now.rlim_cur = now.rlim_cur < now.rlim_max ? now.rlim_cur : now.rlim_max;
    setrlimit(resource, &now); /* downwards: always allowed */
}

/* [capabilities] */
/* To give up needs no right; but what a later execve() could bring back goes only with one. */
static int drop_capabilities(struct refusal *why)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none) < 0)
        return refuse(why, -errno, "-sandbox: capset failed: %s", strerror(errno));
    return 0;
}
/* [/capabilities] */

int privileges_drop(const struct privileges *p, struct refusal *why)
{
    struct identity identity = {0, 0};
    int error = p->user ? find_identity(p->user, &identity, why) : 0;

    if (error == 0 && p->jail)
        error = jail_enter(p->host_network, why);
    if (error == 0 && p->root)
        error = change_root(p->root, why);
    if (error == 0 && p->user)
        error = become(p->user, &identity, why);
    if (error < 0)
        return error;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return refuse(why, -errno, "-sandbox: PR_SET_NO_NEW_PRIVS failed: %s", strerror(errno));
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, FILES_MAX);
    return drop_capabilities(why);
}
