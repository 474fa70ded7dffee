/*
 * aml.c: see aml.h. Open at hand: [ACPI, 20.2 "AML Grammar Definition"] and
 * [ACPI, 6.4 "Resource Data Types for ACPI"].
 *
 * Left out on purpose: expressions, fields, operation regions. A table that says
 * where devices are needs no program, but for one line in one method.
 */
#include "07-linux-boot/acpi/aml.h"

#include <assert.h>
#include <string.h>

#include "common/bits.h"

/* [ACPI, 20.3 "AML Byte Stream Byte Values"] */
enum {
    AML_NAME = 0x08,
    AML_BYTE = 0x0a,
    AML_WORD = 0x0b,
    AML_DWORD = 0x0c,
    AML_STRING = 0x0d,
    AML_QWORD = 0x0e,
    AML_SCOPE = 0x10,
    AML_BUFFER = 0x11,
    AML_PACKAGE = 0x12,
    AML_METHOD = 0x14,
    AML_DUAL_NAME = 0x2e,
    AML_MULTI_NAME = 0x2f,
    AML_EXT = 0x5b, /* a second byte follows */
    AML_EXT_DEVICE = 0x82,
    AML_NOTIFY = 0x86,
};

/* [ACPI, 6.4.2 "Small Resource Data Type"]: the kind, with the bytes that follow */
enum {
    SMALL_IRQ = 0x22,
    SMALL_IO = 0x47,
    SMALL_END = 0x79,
};

/* [ACPI, 6.4.3 "Large Resource Data Type"] */
enum {
    LARGE_MEMORY32_FIXED = 0x86,
    LARGE_WORD_SPACE = 0x88,
    LARGE_EXTENDED_INTERRUPT = 0x89,
    LARGE_QWORD_SPACE = 0x8a,
};

/* [ACPI, 6.4.3.5.1 "QWord Address Space Descriptor"] */
enum {
    SPACE_MEMORY = 0,
    SPACE_IO = 1,
    SPACE_BUS = 2,
    SPACE_FIXED = 0x0c,        /* neither end of the window moves */
    SPACE_MEMORY_WRITE = 0x01, /* and not cached */
    SPACE_IO_ENTIRE = 0x03,
};

void aml_bytes(struct aml *a, const void *bytes, size_t count)
{
    assert(count <= a->room - a->size);
    memcpy(a->bytes + a->size, bytes, count);
    a->size += count;
}

/* The low count bytes of value, lowest first. */
static void number(struct aml *a, uint64_t value, unsigned count)
{
    aml_bytes(a, &value, count);
}

static void byte(struct aml *a, uint8_t value)
{
    aml_bytes(a, &value, 1);
}

/* Moves what was written from at on, to put count bytes there. */
static void insert(struct aml *a, size_t at, const void *bytes, size_t count)
{
    assert(count <= a->room - a->size);
    memmove(a->bytes + at + count, a->bytes + at, a->size - at);
    memcpy(a->bytes + at, bytes, count);
    a->size += count;
}

static void path_append(struct aml *a, const char *path)
{
    size_t segments;

    if (*path == '\\')
        byte(a, (uint8_t)*path++);
    segments = (strlen(path) + 1) / 5;
    assert(segments > 0 && strlen(path) + 1 == segments * 5);
    if (segments == 2)
        byte(a, AML_DUAL_NAME);
    if (segments > 2) {
        byte(a, AML_MULTI_NAME);
        byte(a, (uint8_t)segments);
    }
    for (size_t i = 0; i < segments; i++)
        aml_bytes(a, path + i * 5, 4);
}

/*
 * A block's length counts itself, and has one to four bytes: bits 7:6 of the first
 * say how many follow. Alone, it has six bits for the length; with followers, its
 * low four are the length's lowest. [ACPI, 20.2.4 "Package Length Encoding"]
 */
void aml_end(struct aml *a, size_t start)
{
    size_t inner = a->size - start;
    uint32_t length;
    uint8_t bytes[3];

    if (inner + 1 < 1u << 6) {
        bytes[0] = (uint8_t)(inner + 1);
        insert(a, start, bytes, 1);
    } else if (inner + 2 < 1u << 12) {
        length = (uint32_t)inner + 2;
        bytes[0] = (uint8_t)(1u << 6 | bits(length, 3, 0));
        bytes[1] = (uint8_t)(length >> 4);
        insert(a, start, bytes, 2);
    } else {
        length = (uint32_t)inner + 3;
        assert(length < 1u << 20);
        bytes[0] = (uint8_t)(2u << 6 | bits(length, 3, 0));
        bytes[1] = (uint8_t)bits(length, 11, 4);
        bytes[2] = (uint8_t)(length >> 12);
        insert(a, start, bytes, 3);
    }
}

size_t aml_scope(struct aml *a, const char *path)
{
    size_t start;

    byte(a, AML_SCOPE);
    start = a->size;
    path_append(a, path);
    return start;
}

size_t aml_device(struct aml *a, const char *path)
{
    size_t start;

    byte(a, AML_EXT);
    byte(a, AML_EXT_DEVICE);
    start = a->size;
    path_append(a, path);
    return start;
}

size_t aml_method(struct aml *a, const char *path, unsigned arguments)
{
    size_t start;

    assert(arguments <= 7);
    byte(a, AML_METHOD);
    start = a->size;
    path_append(a, path);
    byte(a, (uint8_t)arguments);
    return start;
}

void aml_name(struct aml *a, const char *path)
{
    byte(a, AML_NAME);
    path_append(a, path);
}

void aml_integer(struct aml *a, uint64_t value)
{
    if (value <= 1) {
        byte(a, (uint8_t)value); /* ZeroOp and OneOp are their own values */
    } else if (value <= UINT8_MAX) {
        byte(a, AML_BYTE);
        number(a, value, 1);
    } else if (value <= UINT16_MAX) {
        byte(a, AML_WORD);
        number(a, value, 2);
    } else if (value <= UINT32_MAX) {
        byte(a, AML_DWORD);
        number(a, value, 4);
    } else {
        byte(a, AML_QWORD);
        number(a, value, 8);
    }
}

void aml_string(struct aml *a, const char *text)
{
    byte(a, AML_STRING);
    aml_bytes(a, text, strlen(text) + 1);
}

static uint32_t hex_digit(char digit)
{
    return (uint32_t)(digit <= '9' ? digit - '0' : digit - 'A' + 10);
}

/*
 * "PNP0501" as a number: five bits a letter, four a digit, highest first; and that
 * number with its bytes the other way round, as EISA cards had it.
 * [ACPI, 19.6.36 "EISAID"]
 */
void aml_eisa_id(struct aml *a, const char *id)
{
    uint32_t value = 0;

    assert(strlen(id) == 7);
    for (unsigned i = 0; i < 3; i++)
        value = value << 5 | (uint32_t)(id[i] - '@');
    for (unsigned i = 3; i < 7; i++)
        value = value << 4 | hex_digit(id[i]);
    byte(a, AML_DWORD);
    number(a, __builtin_bswap32(value), 4);
}

size_t aml_package(struct aml *a, uint8_t elements)
{
    size_t start;

    byte(a, AML_PACKAGE);
    start = a->size;
    byte(a, elements);
    return start;
}

void aml_notify(struct aml *a, const char *path, uint8_t value)
{
    byte(a, AML_NOTIFY);
    path_append(a, path);
    aml_integer(a, value);
}

size_t aml_resources(struct aml *a)
{
    byte(a, AML_BUFFER);
    return a->size;
}

void aml_resources_end(struct aml *a, size_t start)
{
    uint8_t bytes[9];
    struct aml size = {.bytes = bytes, .room = sizeof bytes};

    byte(a, SMALL_END);
    byte(a, 0); /* a checksum; zero means that there is none */
    aml_integer(&size, a->size - start);
    insert(a, start, bytes, size.size);
    aml_end(a, start);
}

void aml_io(struct aml *a, uint16_t port, uint8_t count)
{
    byte(a, SMALL_IO);
    byte(a, 1); /* all sixteen address lines are decoded */
    number(a, port, 2);
    number(a, port, 2);
    byte(a, 1); /* alignment */
    byte(a, count);
}

void aml_irq(struct aml *a, unsigned line)
{
    assert(line < 16);
    byte(a, SMALL_IRQ);
    number(a, 1u << line, 2);
}

/* A large item: its kind, then how many bytes follow. */
static void large(struct aml *a, uint8_t kind, uint16_t bytes)
{
    byte(a, kind);
    number(a, bytes, 2);
}

void aml_interrupt(struct aml *a, uint32_t gsi, bool level)
{
    large(a, LARGE_EXTENDED_INTERRUPT, 6);
    byte(a, (uint8_t)(1u | !level << 1)); /* consumer; edge in bit 1 */
    byte(a, 1);                           /* one number */
    number(a, gsi, 4);
}

void aml_memory(struct aml *a, uint32_t start, uint32_t size)
{
    large(a, LARGE_MEMORY32_FIXED, 9);
    byte(a, 1); /* writable */
    number(a, start, 4);
    number(a, size, 4);
}

/* A window: granularity, first, last, offset and length, each width bytes wide. */
static void window(struct aml *a, uint8_t kind, uint8_t flags, unsigned width, uint64_t first,
                   uint64_t last)
{
    large(a, width == 2 ? LARGE_WORD_SPACE : LARGE_QWORD_SPACE, (uint16_t)(3 + 5 * width));
    byte(a, kind);
    byte(a, SPACE_FIXED);
    byte(a, flags);
    number(a, 0, width);
    number(a, first, width);
    number(a, last, width);
    number(a, 0, width);
    number(a, last - first + 1, width);
}

void aml_bus_window(struct aml *a, uint16_t first, uint16_t last)
{
    window(a, SPACE_BUS, 0, 2, first, last);
}

void aml_io_window(struct aml *a, uint16_t first, uint16_t last)
{
    window(a, SPACE_IO, SPACE_IO_ENTIRE, 2, first, last);
}

void aml_memory_window(struct aml *a, uint64_t first, uint64_t last)
{
    window(a, SPACE_MEMORY, SPACE_MEMORY_WRITE, 8, first, last);
}
