/* doorbell.c: see doorbell.h. Open at hand: [KVM-API] 4.59 "KVM_IOEVENTFD". */
#define _GNU_SOURCE
#include "04-devices/doorbell.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "04-devices/machine.h"

static struct kvm_ioeventfd description(const struct doorbell *doorbell)
{
    return (struct kvm_ioeventfd){
        .datamatch = doorbell->any_value ? 0 : doorbell->value,
        .addr = doorbell->address,
        .len = doorbell->size,
        .fd = doorbell->fd,
        .flags = (doorbell->space == DOORBELL_PORT ? KVM_IOEVENTFD_FLAG_PIO : 0) |
                 (doorbell->any_value ? 0 : KVM_IOEVENTFD_FLAG_DATAMATCH),
    };
}

/* [rung] */
static void rung(void *self)
{
    struct doorbell *doorbell = self;
    struct devices *devices = &doorbell->machine->devices;
    struct bus *bus = doorbell->space == DOORBELL_PORT ? &devices->ports : &devices->memory;
    uint64_t times;

    if (read(doorbell->fd, &times, sizeof times) != sizeof times)
        return;
    pthread_mutex_lock(&devices->lock);
    bus_write(bus, doorbell->address, doorbell->size, doorbell->value);
    doorbell->rings++;
    pthread_mutex_unlock(&devices->lock);
}
/* [/rung] */

int doorbell_open(struct doorbell *doorbell)
{
    struct kvm_ioeventfd request;
    int error;

    doorbell->rings = 0;
    doorbell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (doorbell->fd < 0)
        return -errno;
    request = description(doorbell);
    if (ioctl(doorbell->machine->vm.fd, KVM_IOEVENTFD, &request) < 0) {
        error = -errno;
        close(doorbell->fd);
        return error;
    }
    watches_add(&doorbell->machine->watches, doorbell->fd, rung, doorbell);
    return 0;
}

void doorbell_close(struct doorbell *doorbell)
{
    struct kvm_ioeventfd request = description(doorbell);

    request.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
    ioctl(doorbell->machine->vm.fd, KVM_IOEVENTFD, &request);
    close(doorbell->fd);
}
