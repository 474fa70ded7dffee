/*
 * snapshot.c: see snapshot.h. A file that has no name any more lives until it is closed,
 * however the program ends; so nothing is left to be cleaned up.
 */
#define _GNU_SOURCE
#include "07-linux-boot/snapshot.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/qcow2/create.h"

static int open_overlay(struct qcow2_disk *disk, const char *overlay,
                        const struct qcow2_recipe *recipe, struct refusal *why)
{
    int error = qcow2_create(overlay, recipe, why);

    if (error < 0)
        return error;
    error = qcow2_disk_open(disk, overlay, false, why);
    unlink(overlay);
    return error;
}

int snapshot_open(struct qcow2_disk *disk, const char *path, const char *format, uint64_t size,
                  struct refusal *why)
{
    const char *below = getenv("TMPDIR");
    char base[PATH_MAX], folder[PATH_MAX], overlay[PATH_MAX + 8];
    struct qcow2_recipe recipe = {.size = size, .backing = base, .backing_format = format};
    int error;

    if (!realpath(path, base))
        return refuse(why, -errno, "%s", strerror(errno));
    snprintf(folder, sizeof folder, "%.4000s/vmm-snapshot.XXXXXX",
             below && *below ? below : "/var/tmp");
    if (!mkdtemp(folder))
        return refuse(why, -errno, "no folder for a snapshot: %.200s: %s", folder, strerror(errno));
    snprintf(overlay, sizeof overlay, "%s/disk", folder);
    error = open_overlay(disk, overlay, &recipe, why);
    rmdir(folder);
    return error;
}
