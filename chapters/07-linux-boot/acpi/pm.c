/*
 * pm.c: see pm.h. Open at hand: [ACPI, 4.8 "ACPI Register Model"].
 *
 * Left out on purpose: sleep that one wakes from, general-purpose events, the timer,
 * the global lock.
 */
#include "07-linux-boot/acpi/pm.h"

#include "common/bits.h"

static void update_sci(struct acpi_pm *pm)
{
    bool level = pm->status & pm->enable & ACPI_PM1_PWRBTN;

    if (level == pm->level)
        return;
    pm->level = level;
    irq_set(&pm->sci, level);
}

void acpi_pm_init(struct acpi_pm *pm, struct irq_line sci, struct irq_line off, bool reduced)
{
    *pm = (struct acpi_pm){.sci = sci, .off = off, .reduced = reduced};
}

void acpi_pm_press(struct acpi_pm *pm)
{
    if (pm->reduced) {
        irq_set(&pm->sci, true);
        irq_set(&pm->sci, false);
        return;
    }
    pm->status |= ACPI_PM1_PWRBTN;
    update_sci(pm);
}

static uint16_t word_read(const struct acpi_pm *pm, unsigned reg)
{
    switch (reg) {
    case ACPI_PM1_STATUS: return pm->status;
    case ACPI_PM1_ENABLE: return pm->enable;
    case ACPI_PM1_CONTROL: return ACPI_PM1_SCI_EN;
    default: return 0;
    }
}

uint64_t acpi_pm_read(void *self, uint64_t reg, unsigned size)
{
    uint64_t word = word_read(self, reg & ~1u);

    return size == 1 ? word >> reg % 2 * 8 & 0xff : word;
}

/* [fall-asleep] */
/* A sleep other than S5 does not exist here; the guest stays awake. */
static void fall_asleep(struct acpi_pm *pm, uint64_t type)
{
    if (type == ACPI_SLP_TYP_S5)
        irq_set(&pm->off, true);
}
/* [/fall-asleep] */

/* One byte wide: which bits of the word it is changes what the others keep. */
static void byte_write(struct acpi_pm *pm, unsigned reg, uint8_t value)
{
    unsigned shift = reg % 2 * 8;
    uint16_t mask = (uint16_t)(0xffu << shift), word = (uint16_t)(value << shift);

    switch (reg & ~1u) {
    case ACPI_PM1_STATUS: /* write 1 to clear */ pm->status &= (uint16_t)~word; break;
    case ACPI_PM1_ENABLE:
        pm->enable = (uint16_t)(((pm->enable & ~mask) | word) & ACPI_PM1_ENABLES);
        break;
    case ACPI_PM1_CONTROL: /* SLP_EN and SLP_TYP share the high byte */
        if (word & ACPI_PM1_SLP_EN)
            fall_asleep(pm, bits(word, 12, 10));
        break;
    default:
        if (reg == ACPI_SLEEP_CONTROL && (value & ACPI_SLEEP_SLP_EN))
            fall_asleep(pm, bits(value, 4, 2));
        break;
    }
}

void acpi_pm_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct acpi_pm *pm = self;

    for (unsigned i = 0; i < size; i++)
        byte_write(pm, (unsigned)reg + i, (uint8_t)(value >> (i * 8)));
    update_sci(pm);
}
