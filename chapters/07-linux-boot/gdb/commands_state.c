/*
 * commands_state.c: see commands.h: packets about registers, memory and breakpoints.
 */
#include "07-linux-boot/gdb/commands.h"

/* ---- registers ---- */

void gdb_get_registers(const struct gdb_stub *s, struct registers *registers)
{
    s->target->get(s->target->self, s->current, registers);
}

bool gdb_set_registers(const struct gdb_stub *s, const struct registers *registers)
{
    return s->target->set(s->target->self, s->current, registers);
}

static void print_register(FILE *out, const struct registers *registers, unsigned number)
{
    uint8_t bytes[REGISTER_MAX];

    register_read(registers, number, bytes);
    hex_write(out, bytes, register_size(number));
}

bool gdb_read_registers(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    struct registers registers;

    (void)at, (void)length;
    gdb_get_registers(s, &registers);
    for (unsigned i = 0; i < registers_count(); i++)
        print_register(out, &registers, i);
    return true;
}

bool gdb_read_register(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    struct registers registers;
    uint64_t number;

    (void)length;
    if (!hex_number(&at, &number) || *at || number >= registers_count())
        return gdb_say(out, GDB_INVALID);
    gdb_get_registers(s, &registers);
    print_register(out, &registers, (unsigned)number);
    return true;
}

/* One value of a packet into registers. */
static bool take_register(struct registers *registers, unsigned number, const char **at)
{
    uint8_t bytes[REGISTER_MAX];

    return hex_bytes(at, bytes, register_size(number)) && register_write(registers, number, bytes);
}

bool gdb_write_registers(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    struct registers registers;

    (void)length;
    gdb_get_registers(s, &registers);
    for (unsigned i = 0; i < registers_count(); i++)
        if (!take_register(&registers, i, &at))
            return gdb_say(out, GDB_INVALID);
    return gdb_say(out, *at || !gdb_set_registers(s, &registers) ? GDB_INVALID : "OK");
}

bool gdb_write_register(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    struct registers registers;
    uint64_t number;

    (void)length;
    if (!hex_number(&at, &number) || *at++ != '=' || number >= registers_count())
        return gdb_say(out, GDB_INVALID);
    gdb_get_registers(s, &registers);
    if (!take_register(&registers, (unsigned)number, &at) || *at ||
        !gdb_set_registers(s, &registers))
        return gdb_say(out, GDB_INVALID);
    return gdb_say(out, "OK");
}

/* ---- memory ---- */

bool gdb_read_memory(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    struct paging paging = gdb_stub_paging(s);
    uint8_t bytes[GDB_READ_MAX];
    uint64_t address, count, got;

    (void)length;
    if (!gdb_take_range(&at, &address, &count, '\0'))
        return gdb_say(out, GDB_INVALID);
    got = debug_read(&s->breakpoints, s->target->memory, &paging, address, bytes,
                     count < GDB_READ_MAX ? count : GDB_READ_MAX);
    if (got == 0 && count > 0)
        return gdb_say(out, GDB_FAULT);
    hex_write(out, bytes, got);
    return true;
}

/* All of it or nothing: a page that is not there must not be found out halfway. */
static const char *write_bytes(struct gdb_stub *s, uint64_t address, const uint8_t *bytes,
                               uint64_t count)
{
    struct paging paging = gdb_stub_paging(s);
    uint8_t old[PACKET_MAX];

    if (debug_read(&s->breakpoints, s->target->memory, &paging, address, old, count) < count)
        return GDB_FAULT;
    debug_write(&s->breakpoints, s->target->memory, &paging, address, bytes, count);
    return "OK";
}

bool gdb_write_memory(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    uint8_t bytes[PACKET_MAX / 2];
    uint64_t address, count;

    (void)length;
    if (!gdb_take_range(&at, &address, &count, ':') || count > sizeof bytes ||
        !hex_bytes(&at, bytes, count) || *at)
        return gdb_say(out, GDB_INVALID);
    return gdb_say(out, write_bytes(s, address, bytes, count));
}

/* The same with bytes as they are; the frame has undone what it had to escape. */
bool gdb_write_binary(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    const char *start = at;
    uint64_t address, count;

    if (!gdb_take_range(&at, &address, &count, ':') || count != length - (size_t)(at - start))
        return gdb_say(out, GDB_INVALID);
    return gdb_say(out, write_bytes(s, address, (const uint8_t *)at, count));
}

/* ---- breakpoints ---- */

static bool take_breakpoint(const char *at, uint64_t *kind, uint64_t *address, uint64_t *length)
{
    return hex_number(&at, kind) && *kind < BREAKPOINT_KINDS && *at++ == ',' &&
           gdb_take_range(&at, address, length, '\0');
}

bool gdb_set_breakpoint(struct gdb_stub *s, const char *at, size_t size, FILE *out)
{
    struct paging paging = gdb_stub_paging(s);
    uint64_t kind, address, length;

    (void)size;
    if (!take_breakpoint(at, &kind, &address, &length))
        return gdb_say(out, GDB_INVALID);
    return gdb_say(out, breakpoint_set(&s->breakpoints, s->target->memory, &paging,
                                       (enum breakpoint_kind)kind, address, length)
                            ? "OK"
                            : GDB_FULL);
}

bool gdb_remove_breakpoint(struct gdb_stub *s, const char *at, size_t size, FILE *out)
{
    uint64_t kind, address, length;

    (void)size;
    if (!take_breakpoint(at, &kind, &address, &length))
        return gdb_say(out, GDB_INVALID);
    breakpoint_remove(&s->breakpoints, s->target->memory, (enum breakpoint_kind)kind, address,
                      length);
    return gdb_say(out, "OK");
}
