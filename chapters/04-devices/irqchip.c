/*
 * irqchip.c: KVM's chips, and how a line, a message or an eventfd gets to them. Open at
 * hand: [KVM-API] 4.24 "KVM_CREATE_IRQCHIP", 4.25 "KVM_IRQ_LINE", 4.52
 * "KVM_SET_GSI_ROUTING", 4.71 "KVM_CREATE_PIT2" and, also 4.71,
 * "KVM_SIGNAL_MSI", 4.75 "KVM_IRQFD".
 *
 * Left out on purpose: KVM_CAP_SPLIT_IRQCHIP (local APICs in the kernel, the others in
 * user space), x2APIC destinations beyond 255, and posted interrupts, which KVM uses by
 * itself where the host has them.
 */
#define _GNU_SOURCE
#include "04-devices/irqchip.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/die.h"

_Static_assert(offsetof(struct irq_routes, count) == offsetof(struct kvm_irq_routing, nr) &&
                   offsetof(struct irq_routes, flags) == offsetof(struct kvm_irq_routing, flags) &&
                   offsetof(struct irq_routes, entries) == sizeof(struct kvm_irq_routing),
               "the ioctl takes one for the other");

/* Bits 31 to 20 of every MSI address; the rest names the processor. */
#define MSI_ADDRESS_BASE UINT64_C(0xfee00000)
#define MSI_ADDRESS_SIZE UINT64_C(0x00100000)

#define CASCADE          2u /* the master PIC's input that no line has */
#define TIMER_PIN        2u /* ... and the I/O APIC's that the timer has */
#define PIC_LINES        16u
#define SLAVE_LINE       8u

static void irq_pin_set(void *self, bool level)
{
    const struct irq_pin *pin = self;
    struct kvm_irq_level line = {.irq = pin->number, .level = level};

    if (ioctl(pin->vm->fd, KVM_IRQ_LINE, &line) < 0)
        die("KVM_IRQ_LINE failed for line %u: %s", pin->number, strerror(errno));
}

struct irq_line irq_pin_line(struct irq_pin *pin)
{
    return (struct irq_line){.set = irq_pin_set, .self = pin};
}

/* [msi] */
bool msi_address_valid(uint64_t address)
{
    return address - MSI_ADDRESS_BASE < MSI_ADDRESS_SIZE;
}

/*
 * What the guest programmed may make no sense: a vector below 16, a processor that is
 * not there. KVM says so (0 or an error); nobody on a real bus would tell the device.
 */
static void msi_signal(void *self, uint64_t address, uint32_t data)
{
    const struct vm *vm = self;
    struct kvm_msi msi = {.address_lo = (uint32_t)address, .data = data};

    if (msi_address_valid(address))
        (void)ioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
}
/* [/msi] */

struct msi_sender irqchip_msi(const struct vm *vm)
{
    return (struct msi_sender){.send = msi_signal, .self = (void *)vm};
}

static void add_pin(struct irq_routes *routes, uint32_t gsi, uint32_t chip, uint32_t pin)
{
    routes->entries[routes->count++] = (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = {.irqchip = chip, .pin = pin},
    };
}

/* [routes] */
void irq_routes_init(struct irq_routes *routes)
{
    *routes = (struct irq_routes){0};
    for (uint32_t line = 0; line < PIC_LINES; line++) {
        if (line == CASCADE)
            continue;
        if (line < SLAVE_LINE)
            add_pin(routes, line, KVM_IRQCHIP_PIC_MASTER, line);
        else
            add_pin(routes, line, KVM_IRQCHIP_PIC_SLAVE, line - SLAVE_LINE);
        add_pin(routes, line, KVM_IRQCHIP_IOAPIC, line == 0 ? TIMER_PIN : line);
    }
    for (uint32_t line = PIC_LINES; line < IOAPIC_PINS; line++)
        add_pin(routes, line, KVM_IRQCHIP_IOAPIC, line);
}
/* [/routes] */

void irq_routes_remove(struct irq_routes *routes, uint32_t gsi)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < routes->count; i++)
        if (routes->entries[i].gsi != gsi)
            routes->entries[kept++] = routes->entries[i];
    routes->count = kept;
}

int irq_routes_set_msi(struct irq_routes *routes, uint32_t gsi, uint64_t address, uint32_t data)
{
    irq_routes_remove(routes, gsi);
    if (!msi_address_valid(address))
        return 0;
    if (routes->count == IRQ_ROUTES_MAX)
        return -ENOSPC;
    routes->entries[routes->count++] = (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_MSI,
        .u.msi = {.address_lo = (uint32_t)address, .data = data},
    };
    return 0;
}

int irq_routes_commit(const struct irq_routes *routes, const struct vm *vm)
{
    return ioctl(vm->fd, KVM_SET_GSI_ROUTING, routes) < 0 ? -errno : 0;
}

static void create_chips(const struct vm *vm)
{
    if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
        die("KVM_CREATE_IRQCHIP failed: %s", strerror(errno));
}

static void wire(const struct irq_routes *routes, const struct vm *vm)
{
    int error = irq_routes_commit(routes, vm);

    if (error)
        die("KVM_SET_GSI_ROUTING failed: %s", strerror(-error));
}

void irqchip_create(const struct vm *vm)
{
    /* Port 0x61 mixes timer and speaker; KVM answers it too, and beeps for nobody. */
    struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
    struct irq_routes routes;

    create_chips(vm);
    if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
        die("KVM_CREATE_PIT2 failed: %s", strerror(errno));
    /* KVM's own table has the timer at input 0 of the I/O APIC, where no PC has it. */
    irq_routes_init(&routes);
    wire(&routes, vm);
}

/* As a driver does that wants to be rid of it. */
static void mask_pic(const struct vm *vm, uint32_t chip_id)
{
    struct kvm_irqchip chip = {.chip_id = chip_id};

    if (ioctl(vm->fd, KVM_GET_IRQCHIP, &chip) < 0)
        die("KVM_GET_IRQCHIP failed: %s", strerror(errno));
    chip.chip.pic.imr = UINT8_MAX;
    if (ioctl(vm->fd, KVM_SET_IRQCHIP, &chip) < 0)
        die("KVM_SET_IRQCHIP failed: %s", strerror(errno));
}

void irqchip_create_apics(const struct vm *vm)
{
    create_chips(vm);
    /*
     * KVM's own table has lines to the PICs, too. Out of reset those let everything
     * through, as vector 0 and up, and here no guest would ever tell them otherwise.
     * To mask them costs less than another table, for which KVM waits milliseconds.
     */
    mask_pic(vm, KVM_IRQCHIP_PIC_MASTER);
    mask_pic(vm, KVM_IRQCHIP_PIC_SLAVE);
}

static int irqfd(const struct vm *vm, struct kvm_irqfd request)
{
    return ioctl(vm->fd, KVM_IRQFD, &request) < 0 ? -errno : 0;
}

int irqfd_attach(const struct vm *vm, int eventfd, uint32_t gsi)
{
    return irqfd(vm, (struct kvm_irqfd){.fd = (uint32_t)eventfd, .gsi = gsi});
}

int irqfd_attach_level(const struct vm *vm, int eventfd, int resample, uint32_t gsi)
{
    return irqfd(vm, (struct kvm_irqfd){.fd = (uint32_t)eventfd,
                                        .gsi = gsi,
                                        .flags = KVM_IRQFD_FLAG_RESAMPLE,
                                        .resamplefd = (uint32_t)resample});
}

int irqfd_detach(const struct vm *vm, int eventfd, uint32_t gsi)
{
    return irqfd(vm, (struct kvm_irqfd){
                         .fd = (uint32_t)eventfd, .gsi = gsi, .flags = KVM_IRQFD_FLAG_DEASSIGN});
}
