/*
 * pc.c: see pc.h. Each function screws one device to the board: wires first, then the
 * ports that it answers.
 */
#include "04-devices/pc.h"

#include <assert.h>

#include "04-devices/cmos.h"
#include "common/bits.h"

#define COM1           0x3f8
#define PCI_IO         UINT64_C(0xc000) /* where BARs are placed: ports ... */
#define PCI_IO_END     UINT64_C(0x10000)
#define PCI_MEMORY     UINT64_C(0xe0000000) /* ... and memory, below the I/O APIC */
#define PCI_MEMORY_END UINT64_C(0xfec00000)
#define DMA_TIMER_SLOT 1u
#define BAR_RESTS_NS   INT64_C(10000000)

/* Alarms are called with a void pointer, devices know their type. */
static void pit_due(void *self)
{
    pit_alarm(self);
}

static void rtc_due(void *self)
{
    rtc_alarm(self);
}

static void keyboard_due(void *self)
{
    ps2_keyboard_alarm(self);
}

static void dma_timer_due(void *self)
{
    dma_timer_alarm(self);
}

/* The interrupt controllers and the timer: KVM's, or ours. */
static void attach_chips(struct pc *pc, enum irqchip irqchip)
{
    struct machine *m = &pc->machine;

    if (irqchip == IRQCHIP_KERNEL) {
        irqchip_create(&m->vm);
        return;
    }
    machine_use_pic(m, &pc->pic);
    machine_claim_ports(m, "master PIC", PIC_MASTER, PIC_PORTS, 1, pic_read, pic_write,
                        &pc->pic.master);
    machine_claim_ports(m, "slave PIC", PIC_SLAVE, PIC_PORTS, 1, pic_read, pic_write,
                        &pc->pic.slave);
    machine_claim_ports(m, "PIC edge or level", PIC_ELCR, PIC_PORTS, 1, pic_elcr_read,
                        pic_elcr_write, &pc->pic);

    pit_init(&pc->pit, machine_clock(m), machine_alarm(m, pit_due, &pc->pit),
             machine_irq(m, IRQ_TIMER));
    machine_claim_ports(m, "timer", PIT_PORTS, PIT_PORT_COUNT, 1, pit_read, pit_write, &pc->pit);
    machine_claim_ports(m, "timer gate", PIT_PORT_B, 1, 1, pit_port_b_read, pit_port_b_write,
                        &pc->pit);
}

/* [serial] */
static void attach_serial(struct pc *pc, struct byte_sink out)
{
    struct machine *m = &pc->machine;

    uart_init(&pc->serial, machine_irq(m, IRQ_SERIAL_1), out);
    machine_claim_ports(m, "serial port", COM1, UART_REGISTERS, 1, uart_read, uart_write,
                        &pc->serial);
}
/* [/serial] */

static void attach_keyboard(struct pc *pc)
{
    struct machine *m = &pc->machine;
    struct i8042 *controller = &pc->keyboard_controller;

    i8042_init(controller, machine_irq(m, IRQ_KEYBOARD), machine_irq(m, IRQ_MOUSE),
               machine_reset_line(m));
    ps2_keyboard_init(&pc->keyboard, i8042_socket(controller), machine_clock(m),
                      machine_alarm(m, keyboard_due, &pc->keyboard));
    i8042_plug_keyboard(controller, ps2_keyboard_device(&pc->keyboard));
    ps2_mouse_init(&pc->mouse, i8042_socket(controller));
    i8042_plug_mouse(controller, ps2_mouse_device(&pc->mouse));
    machine_claim_ports(m, "keyboard controller", I8042_DATA, 1, 1, i8042_data_read,
                        i8042_data_write, controller);
    machine_claim_ports(m, "keyboard controller", I8042_STATUS, 1, 1, i8042_status_read,
                        i8042_command_write, controller);
}

static void attach_clock(struct pc *pc)
{
    struct machine *m = &pc->machine;
    struct cmos_board board = {.below_4_gib = guest_memory_size(&m->vm.memory),
                               .equipment = CMOS_FPU | CMOS_MOUSE};

    rtc_init(&pc->rtc, machine_wall_clock(m), machine_wall_alarm(m, rtc_due, &pc->rtc),
             machine_irq(m, IRQ_RTC));
    cmos_describe(&pc->rtc, &board);
    machine_claim_ports(m, "clock", RTC_PORTS, RTC_PORT_COUNT, 1, rtc_read, rtc_write, &pc->rtc);
}

static void attach_screen(struct pc *pc)
{
    struct machine *m = &pc->machine;
    const void *cells = guest_ptr(&m->vm.memory, TEXT_MEMORY, TEXT_MEMORY_SIZE);

    assert(cells); /* the contract: RAM is there */
    text_screen_init(&pc->screen, cells);
    machine_claim_ports(m, "text screen", VGA_PORTS, VGA_PORT_COUNT, 1, vga_read, vga_write,
                        &pc->screen);
    machine_claim_ports(m, "text screen", CRTC_PORTS, CRTC_PORT_COUNT, 1, crtc_read, crtc_write,
                        &pc->screen);
    machine_claim_ports(m, "text screen", VGA_STATUS_PORT, 1, 1, vga_status_read, vga_status_write,
                        &pc->screen);
}

static void end_with_status(void *self, unsigned status)
{
    struct pc *pc = self;

    pc->status = (int)status;
    machine_end(&pc->machine, ENDING_OFF);
}

static void attach_debug_ports(struct pc *pc, const struct pc_options *options)
{
    struct machine *m = &pc->machine;

    debug_console_init(&pc->debug, options->debug);
    machine_claim_ports(m, "debug console", DEBUG_CONSOLE_PORT, 1, 1, debug_console_read,
                        debug_console_write, &pc->debug);
    machine_claim_ports(m, "debug console", DEBUG_CONSOLE_SEABIOS, 1, 1, debug_console_read,
                        debug_console_write, &pc->debug);
    post_init(&pc->post);
    machine_claim_ports(m, "POST", POST_PORT, 1, 1, post_read, post_write, &pc->post);
    if (!options->debug_exit)
        return;
    debug_exit_init(&pc->debug_exit, end_with_status, pc);
    machine_claim_ports(m, "debug exit", DEBUG_EXIT_PORT, DEBUG_EXIT_PORT_COUNT, 4, debug_exit_read,
                        debug_exit_write, &pc->debug_exit);
}

/* Port 0xcf9 lies among PCI's, so the host bridge passes it on: see reset.h. */
static void attach_pci(struct pc *pc)
{
    static const uint8_t lines[PCI_WIRES] = {10, 10, 11, 11};
    struct machine *m = &pc->machine;
    struct pci_wire wires[PCI_WIRES];

    reset_init(&pc->reset, machine_reset_line(m));
    machine_claim_ports(m, "fast reset", RESET_PORT_A, 1, 1, reset_port_a_read, reset_port_a_write,
                        &pc->reset);
    for (unsigned i = 0; i < PCI_WIRES; i++)
        wires[i] = (struct pci_wire){.line = machine_irq(m, lines[i]), .number = lines[i]};
    pci_host_init(&pc->pci, &m->devices.ports, &m->devices.memory, wires, &pc->reset);
    machine_claim_ports(m, "PCI address", PCI_ADDRESS_PORT, 4, 4, pci_address_read,
                        pci_address_write, &pc->pci);
    machine_claim_ports(m, "PCI data", PCI_DATA_PORT, 4, 4, pci_data_read, pci_data_write,
                        &pc->pci);
}

/* BAR 0 has moved, or vanished, and rested since: KVM may watch the doorbell's page. */
static void dma_timer_settled(void *self)
{
    struct pc *pc = self;
    const struct pci_bar *bar = &pc->dma_timer.pci.bars[0];

    doorbell_move(&pc->doorbell,
                  bar->visible ? bar->range.start + DMA_TIMER_DOORBELL : DOORBELL_NOWHERE);
}

/*
 * To change what it watches takes KVM milliseconds. So a BAR that moves loses its
 * watcher at once, and gets it back when it has not moved for a while; until then its
 * doorbell is an exit. A guest that never stops moving it costs us next to nothing.
 */
static void dma_timer_moved(void *self, unsigned bar)
{
    struct pc *pc = self;
    struct clock clock = machine_clock(&pc->machine);

    (void)bar; /* there is one */
    doorbell_move(&pc->doorbell, DOORBELL_NOWHERE);
    alarm_set(&pc->doorbell_alarm, clock_now(&clock) + BAR_RESTS_NS);
}

/* [dma-timer] */
static void attach_dma_timer(struct pc *pc)
{
    struct machine *m = &pc->machine;
    struct dma_timer *d = &pc->dma_timer;

    dma_timer_init(d, &m->vm.memory, machine_clock(m), machine_alarm(m, dma_timer_due, d),
                   machine_msi(m));
    pc->doorbell = (struct doorbell){.machine = m,
                                     .space = DOORBELL_MEMORY,
                                     .address = DOORBELL_NOWHERE,
                                     .size = 4,
                                     .any_value = true};
    pc->doorbell_alarm = machine_alarm(m, dma_timer_settled, pc);
    if (doorbell_open(&pc->doorbell) == 0) {
        d->pci.bar_moved = dma_timer_moved;
        d->pci.bar_moved_self = pc;
    } /* else each ring is an exit, as any write is */
    pci_host_plug(&pc->pci, DMA_TIMER_SLOT, &d->pci);
}
/* [/dma-timer] */

void pc_attach(struct pc *pc, const struct pc_options *options)
{
    pc->status = -1;
    attach_chips(pc, options->irqchip);
    attach_serial(pc, options->serial);
    attach_keyboard(pc);
    attach_clock(pc);
    attach_screen(pc);
    attach_debug_ports(pc, options);
    attach_pci(pc);
    attach_dma_timer(pc);
    pci_host_place(&pc->pci, PCI_IO, PCI_IO_END, PCI_MEMORY, PCI_MEMORY_END);
}

/* [collect] */
void pc_collect(struct pc *pc)
{
    static const uint16_t ports[] = {DEBUG_CONSOLE_PORT, DEBUG_CONSOLE_SEABIOS, POST_PORT};

    if (coalesced_open(&pc->collected, &pc->machine) < 0)
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
        (void)coalesced_add(&pc->collected, true, ports[i], 1);
}
/* [/collect] */

void pc_detach(struct pc *pc)
{
    if (pc->dma_timer.pci.bar_moved)
        doorbell_close(&pc->doorbell);
}
