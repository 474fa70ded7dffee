/*
 * pm.h: the machine's power button and its power switch, ACPI's fixed registers.
 *
 *     port    size   register
 *     +0      2      PM1 status     what happened: the power button (bit 8)
 *     +2      2      PM1 enable     what may interrupt
 *     +4      2      PM1 control    SLP_TYP and SLP_EN: fall asleep, for good
 *     +6      1      sleep control  the same switch on a "hardware-reduced" machine
 *     +7      1      sleep status   wakes from nothing: reads 0
 *
 * [ACPI, 4.8.3 "Fixed Hardware Registers", 4.8.3.7 "Sleep Control and Status
 * Registers"]. There is one sleep that we offer, S5, "soft off"; a guest that asks
 * for another goes on awake. Of the events only the button ever comes; the enable
 * bits of the others stay as written, because kernels read them back. The machine is always in ACPI
 * mode, so the handshake through an SMI port does not exist. No timer: processors have better
 * clocks, and the specification has made it optional.
 */
#ifndef CHAPTER_07_ACPI_PM_H
#define CHAPTER_07_ACPI_PM_H

#include <stdint.h>

#include "04-devices/irq.h"

#define ACPI_PM_PORTS      0x600u /* where ours are; width 2 */
#define ACPI_PM_PORT_COUNT 8u

enum acpi_pm_register {
    ACPI_PM1_STATUS = 0,
    ACPI_PM1_ENABLE = 2,
    ACPI_PM1_CONTROL = 4,
    ACPI_SLEEP_CONTROL = 6,
    ACPI_SLEEP_STATUS = 7,
};

#define ACPI_PM1_PWRBTN    0x0100u /* in status and enable */
#define ACPI_PM1_ENABLES   0x0721u /* timer, global lock, power, sleep, clock */
#define ACPI_PM1_SCI_EN    0x0001u /* in control: ACPI mode; always set */
#define ACPI_PM1_SLP_TYP   0x1c00u
#define ACPI_PM1_SLP_EN    0x2000u
#define ACPI_SLEEP_SLP_TYP 0x1cu
#define ACPI_SLEEP_SLP_EN  0x20u

/* The number in the guest's \_S5 object, in SLP_TYP: ours to choose. */
#define ACPI_SLP_TYP_S5 5u

struct acpi_pm {
    struct irq_line sci; /* the ACPI interrupt, level */
    struct irq_line off; /* raised when the guest switches itself off */
    uint16_t status, enable;
    bool reduced; /* the button is an edge on sci, without a register */
    bool level;   /* of sci */
};

void acpi_pm_init(struct acpi_pm *pm, struct irq_line sci, struct irq_line off, bool reduced);

/* Somebody pushes the power button: the guest may shut itself down, or not. */
void acpi_pm_press(struct acpi_pm *pm);

/* Bus callbacks for ACPI_PM_PORTS. */
uint64_t acpi_pm_read(void *self, uint64_t reg, unsigned size);
void acpi_pm_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
