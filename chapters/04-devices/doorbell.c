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
    if (doorbell->address != DOORBELL_NOWHERE)
        bus_write(bus, doorbell->address, doorbell->size, doorbell->value);
    doorbell->rings++;
    pthread_mutex_unlock(&devices->lock);
}
/* [/rung] */

/* Has KVM watch the address, or no longer. */
static int watch(struct doorbell *doorbell, bool on)
{
    struct kvm_ioeventfd request = description(doorbell);

    if (on == doorbell->registered || (on && doorbell->address == DOORBELL_NOWHERE))
        return 0;
    if (!on)
        request.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
    if (ioctl(doorbell->machine->vm.fd, KVM_IOEVENTFD, &request) < 0)
        return -errno;
    doorbell->registered = on;
    return 0;
}

int doorbell_open_on(struct doorbell *doorbell, int fd)
{
    doorbell->rings = 0;
    doorbell->registered = false;
    doorbell->borrowed = true;
    doorbell->fd = fd;
    return watch(doorbell, true);
}

int doorbell_open(struct doorbell *doorbell)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), error;

    if (fd < 0)
        return -errno;
    error = doorbell_open_on(doorbell, fd);
    if (error < 0) {
        close(fd);
        return error;
    }
    doorbell->borrowed = false;
    watches_add(&doorbell->machine->watches, fd, rung, doorbell);
    return 0;
}

void doorbell_move(struct doorbell *doorbell, uint64_t address)
{
    if (address == doorbell->address && doorbell->registered)
        return;
    watch(doorbell, false);
    doorbell->address = address;
    watch(doorbell, true);
}

void doorbell_close(struct doorbell *doorbell)
{
    watch(doorbell, false);
    if (!doorbell->borrowed)
        close(doorbell->fd);
}
