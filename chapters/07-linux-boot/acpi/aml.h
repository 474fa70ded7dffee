/*
 * aml.h: a writer of AML, the byte code in which firmware describes devices.
 *
 * An operating system finds PCI cards by asking them, but a serial port at 0x3f8
 * cannot be asked whether it is there. ACPI's answer is a tree of named objects in
 * a small byte code [ACPI, 20 "ACPI Machine Language (AML) Specification"]. Each
 * function below appends one construct of the source language, in its order:
 *
 *     Device (COM1) {                     at = aml_device(&a, "COM1");
 *         Name (_HID, EisaId ("PNP0501")) aml_name(&a, "_HID"); aml_eisa_id(&a, "PNP0501");
 *         Name (_CRS, ResourceTemplate () aml_name(&a, "_CRS"); crs = aml_resources(&a);
 *         { IO (...) IRQNoFlags () {4} }) aml_io(&a, 0x3f8, 8); aml_irq(&a, 4);
 *                                         aml_resources_end(&a, crs);
 *     }                                   aml_end(&a, at);
 *
 * What opens a brace returns where it began; aml_end() closes it. The length that
 * AML puts in front of a block is only known then, and of varying size, so the block
 * moves up to make room for it: once per brace, for a few KiB in all.
 *
 * Nothing here depends on a guest or a file, so a full buffer is our own mistake and
 * asserted. The bytes belong to the caller.
 */
#ifndef CHAPTER_07_ACPI_AML_H
#define CHAPTER_07_ACPI_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
    uint8_t *bytes;
    size_t size; /* written so far */
    size_t room;
};

/* Objects. A path is segments of four letters: "COM1", "\\_SB_", "\\_SB_.PWRB". */
size_t aml_scope(struct aml *a, const char *path);
size_t aml_device(struct aml *a, const char *path);
size_t aml_method(struct aml *a, const char *path, unsigned arguments); /* 0 to 7 */
void aml_end(struct aml *a, size_t start);

/* Name (path, ...): the value is whatever is written next. */
void aml_name(struct aml *a, const char *path);

/* Values */
void aml_integer(struct aml *a, uint64_t value);
void aml_string(struct aml *a, const char *text);
void aml_eisa_id(struct aml *a, const char *id); /* three letters, four hex digits */
size_t aml_package(struct aml *a, uint8_t elements);

/* Bytes as they are. */
void aml_bytes(struct aml *a, const void *bytes, size_t count);

/* Statement: Notify (path, value) */
void aml_notify(struct aml *a, const char *path, uint8_t value);

/* ResourceTemplate () { ... }: what a device occupies.
 * [ACPI, 6.4 "Resource Data Types for ACPI"] */
size_t aml_resources(struct aml *a);
void aml_resources_end(struct aml *a, size_t start);

void aml_io(struct aml *a, uint16_t port, uint8_t count);
void aml_irq(struct aml *a, unsigned line);                           /* ISA, 0 to 15, edge */
void aml_interrupt(struct aml *a, uint32_t gsi, bool level);          /* active high */
void aml_memory(struct aml *a, uint32_t start, uint32_t size);        /* fixed */
void aml_bus_window(struct aml *a, uint16_t first, uint16_t last);    /* PCI bus numbers */
void aml_io_window(struct aml *a, uint16_t first, uint16_t last);     /* ports handed on */
void aml_memory_window(struct aml *a, uint64_t first, uint64_t last); /* addresses handed on */

#endif
