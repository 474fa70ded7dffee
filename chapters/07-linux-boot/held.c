/*
 * held.c: see held.h. Open at hand: fcntl(2), F_DUPFD_CLOEXEC.
 *
 * Left out on purpose: disks, networks and character devices, which are objects that outlive
 * a machine, and so are connected again instead of opened (inventory.h).
 */
#include "07-linux-boot/held.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "01-kvm-hello/kvm.h"
#include "04-devices/trace.h"
#include "common/die.h"

void held_open(struct held *held, const struct options *options)
{
    struct refusal why;

    held->kvm = kvm_open();
    if (ram_file_open(&held->ram, options->mem_path, options->ram, options->mem_prealloc, &why) < 0)
        die("%s", why.text);
    held->trace = -1;
    if (file_open(&held->kernel, options->kernel, &why) < 0)
        die("%s: %s", options->kernel, why.text);
    held->has_initrd = options->initrd && file_open(&held->initrd, options->initrd, &why) == 0;
    if (options->trace) {
        held->trace = trace_create(options->trace, &why);
        if (held->trace < 0)
            die("-trace %s", why.text);
    }
}

int held_again(int fd)
{
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0 && copy < 0)
        die("cannot duplicate a descriptor: %s", strerror(errno));
    return copy;
}
