/*
 * dsdt.h: the tree of devices that cannot be found by asking.
 * [ACPI, 5.2.11.1 "Differentiated System Description Table (DSDT)"]
 */
#ifndef CHAPTER_07_ACPI_DSDT_H
#define CHAPTER_07_ACPI_DSDT_H

#include "07-linux-boot/acpi/aml.h"
#include "07-linux-boot/acpi/tables.h"

/* Appends the AML of the DSDT, without the table's header. Too little room is our bug (assert). */
void dsdt_write(struct aml *a, const struct acpi_board *board);

#endif
