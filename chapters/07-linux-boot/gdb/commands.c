/*
 * commands.c: see stub.h: a row for each packet we know; what we do not know has an empty
 * answer, by which gdb learns that it must do without.
 * [GDB, E.2 "Packets", E.4 "General Query Packets"]
 *
 * A packet's arguments end with a zero, and every parser stops there.
 */
#include "07-linux-boot/gdb/commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/bits.h"
#include "common/die.h"

bool gdb_say(FILE *out, const char *text)
{
    fputs(text, out);
    return true;
}

/* ---- words ---- */

/* THREAD_ALL, THREAD_ANY, or 1 to the number of processors. */
bool gdb_take_thread(const struct gdb_stub *s, const char **at, int *thread)
{
    uint64_t value;

    if (strncmp(*at, "-1", 2) == 0) {
        *at += 2;
        *thread = THREAD_ALL;
        return true;
    }
    if (!hex_number(at, &value) || value > s->target->processors)
        return false;
    *thread = (int)value;
    return true;
}

/* "ADDRESS,LENGTH", and what ends it. */
bool gdb_take_range(const char **at, uint64_t *address, uint64_t *length, char end)
{
    if (!hex_number(at, address) || *(*at)++ != ',' || !hex_number(at, length) || **at != end)
        return false;
    *at += end != '\0';
    return true;
}

/* ---- threads ---- */

static bool why_stopped(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)at, (void)length;
    gdb_stub_tell_stop(s, 5, out);
    return true;
}

/* Hg and Hc: whose registers; whom "s" means. */
static bool choose_thread(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    char what = *at;
    int thread;

    (void)length;
    if ((what != 'g' && what != 'c') || (at++, !gdb_take_thread(s, &at, &thread)) || *at)
        return gdb_say(out, GDB_INVALID);
    if (thread > 0)
        s->current = (unsigned)thread - 1;
    return gdb_say(out, "OK");
}

static bool is_alive(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    int thread;

    (void)length;
    return gdb_say(out,
                   gdb_take_thread(s, &at, &thread) && !*at && thread > 0 ? "OK" : GDB_INVALID);
}

static bool current_thread(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)at, (void)length;
    fprintf(out, "QC%x", s->current + 1);
    return true;
}

static bool list_threads(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)at, (void)length;
    for (unsigned i = 0; i < s->target->processors; i++)
        fprintf(out, "%c%x", i == 0 ? 'm' : ',', i + 1);
    return true;
}

static bool no_more_threads(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)s, (void)at, (void)length;
    return gdb_say(out, "l");
}

static bool describe_thread(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    char text[64];
    int thread;

    (void)length;
    if (!gdb_take_thread(s, &at, &thread) || *at || thread <= 0)
        return gdb_say(out, GDB_INVALID);
    snprintf(text, sizeof text, "CPU#%d, %s", thread - 1,
             s->target->state(s->target->self, (unsigned)thread - 1));
    hex_write(out, (const uint8_t *)text, strlen(text));
    return true;
}

/* ---- questions ---- */

static bool supported(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)length;
    s->tells_software = strstr(at, "swbreak+") != NULL;
    s->tells_hardware = strstr(at, "hwbreak+") != NULL;
    fprintf(out,
            "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;"
            "hwbreak+",
            PACKET_MAX);
    return true;
}

static bool no_acks(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)at, (void)length;
    s->acks = false;
    return gdb_say(out, "OK");
}

/* 1: the guest was there before the debugger, which lets it go on when it leaves. */
static bool attached(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)s, (void)at, (void)length;
    return gdb_say(out, "1");
}

/* A piece of the description, "m" before it; "l" before the last. */
static bool describe(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    static const char name[] = "target.xml:";
    uint64_t offset, count;
    char *xml;
    size_t size;
    FILE *text;

    (void)s, (void)length;
    if (strncmp(at, name, strlen(name)) != 0)
        return gdb_say(out, "E00"); /* there is no other, and no file is looked for */
    at += strlen(name);
    if (!gdb_take_range(&at, &offset, &count, '\0'))
        return gdb_say(out, GDB_INVALID);
    text = open_memstream(&xml, &size);
    if (!text)
        die("no memory for an answer");
    registers_describe(text);
    fclose(text);
    count = count < PACKET_MAX - 1 ? count : PACKET_MAX - 1;
    offset = offset < size ? offset : size;
    count = count < size - offset ? count : size - offset;
    fputc(offset + count < size ? 'm' : 'l', out);
    fwrite(xml + offset, 1, count, out);
    free(xml);
    return true;
}

/* "monitor ..." in gdb: a line in hex for our monitor; so is what it prints. */
static bool command(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    uint8_t line[256];
    char *text;
    size_t size;
    FILE *answer;

    if (length % 2 != 0 || length / 2 >= sizeof line || !hex_bytes(&at, line, length / 2))
        return gdb_say(out, GDB_INVALID);
    line[length / 2] = '\0';
    answer = open_memstream(&text, &size);
    if (!answer)
        die("no memory for an answer");
    s->target->command(s->target->self, (const char *)line, answer);
    fclose(answer);
    if (size == 0)
        gdb_say(out, "OK");
    hex_write(out, (const uint8_t *)text, size < GDB_READ_MAX ? size : GDB_READ_MAX);
    free(text);
    return true;
}

/* [packets] */
static const struct {
    const char *name; /* the packet itself, or what it begins with: */
    bool has_arguments;
    bool while_running; /* also if the guest runs */
    bool (*run)(struct gdb_stub *s, const char *arguments, size_t length, FILE *out);
} packets[] = {
    {"?", false, false, why_stopped},
    {"g", false, false, gdb_read_registers},
    {"G", true, false, gdb_write_registers},
    {"p", true, false, gdb_read_register},
    {"P", true, false, gdb_write_register},
    {"m", true, false, gdb_read_memory},
    {"M", true, false, gdb_write_memory},
    {"X", true, false, gdb_write_binary},
    {"Z", true, false, gdb_set_breakpoint},
    {"z", true, false, gdb_remove_breakpoint},
    {"c", true, false, gdb_cont},
    {"C", true, false, gdb_cont_signal},
    {"s", true, false, gdb_step},
    {"S", true, false, gdb_step_signal},
    {"vCont?", false, true, gdb_which_actions},
    {"vCont;", true, false, gdb_each_goes},
    {"H", true, false, choose_thread},
    {"T", true, true, is_alive},
    {"D", true, true, gdb_detach},
    {"k", false, true, gdb_kill_quietly},
    {"vKill;", true, true, gdb_kill_answered},
    {"qC", false, true, current_thread},
    {"qfThreadInfo", false, true, list_threads},
    {"qsThreadInfo", false, true, no_more_threads},
    {"qThreadExtraInfo,", true, false, describe_thread},
    {"qSupported", true, true, supported},
    {"qAttached", true, true, attached},
    {"qXfer:features:read:", true, true, describe},
    {"qRcmd,", true, false, command},
    {"QStartNoAckMode", false, true, no_acks},
};
/* [/packets] */

bool gdb_command(struct gdb_stub *s, const char *data, size_t length, FILE *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
        size_t name = strlen(packets[i].name);

        if (length < name || memcmp(data, packets[i].name, name) != 0 ||
            (!packets[i].has_arguments && length != name))
            continue;
        if (!s->attached || (!s->stopped && !packets[i].while_running))
            return gdb_say(out, GDB_BUSY);
        return packets[i].run(s, data + name, length - name, out);
    }
    return true; /* empty: unknown */
}
