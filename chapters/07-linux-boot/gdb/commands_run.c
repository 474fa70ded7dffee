/*
 * commands_run.c: see commands.h: packets that let the guest go on, and the end.
 */
#include "07-linux-boot/gdb/commands.h"

/* ---- going on ---- */

/* No answer but an error; the next packet from us says why the guest stands again. */
static bool go(struct gdb_stub *s, FILE *out)
{
    return gdb_stub_go(s) ? false : gdb_say(out, GDB_INVALID);
}

/* "[ADDRESS]" of c and s, "SIGNAL[;ADDRESS]" of C and S: where to go on. */
static bool take_place(struct gdb_stub *s, const char *at, bool has_signal)
{
    struct registers registers;
    uint64_t signal, address;

    if (has_signal && (!hex_number(&at, &signal) || (*at && *at++ != ';')))
        return false;
    if (!*at)
        return true;
    if (!hex_number(&at, &address) || *at)
        return false;
    gdb_get_registers(s, &registers);
    return register_write(&registers, REGISTER_RIP, (const uint8_t *)&address) &&
           gdb_set_registers(s, &registers);
}

static bool go_from(struct gdb_stub *s, const char *at, bool has_signal, bool steps, FILE *out)
{
    if (!take_place(s, at, has_signal))
        return gdb_say(out, GDB_INVALID);
    for (unsigned i = 0; i < s->target->processors; i++) {
        s->processors[i].runs = !steps || i == s->current;
        s->processors[i].steps = steps && i == s->current;
    }
    return go(s, out);
}

bool gdb_cont(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)length;
    return go_from(s, at, false, false, out);
}

bool gdb_cont_signal(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)length;
    return go_from(s, at, true, false, out);
}

bool gdb_step(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)length;
    return go_from(s, at, false, true, out);
}

bool gdb_step_signal(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)length;
    return go_from(s, at, true, true, out);
}

bool gdb_which_actions(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)s, (void)at, (void)length;
    return gdb_say(out, "vCont;c;C;s;S");
}

/* "c", "s", "C05", "S05", then ":THREAD" or nothing: 'c' or 's', or 0 for nonsense. */
static char take_action(const struct gdb_stub *s, const char **at, int *thread)
{
    char action = *(*at)++;
    uint8_t signal;

    *thread = THREAD_ALL;
    if (action == 'C' || action == 'S') {
        if (!hex_bytes(at, &signal, 1))
            return 0;
        action = action == 'C' ? 'c' : 's';
    }
    if (action != 'c' && action != 's')
        return 0;
    if (**at == ':' && (++*at, !gdb_take_thread(s, at, thread) || *thread == THREAD_ANY))
        return 0;
    return action;
}

/* For each processor the first action that fits it counts; without one it stands. */
bool gdb_each_goes(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    char actions[PROCESSORS_MAX] = {0};
    bool any = false;

    (void)length;
    for (bool more = true; more; more = *at == ';' && at++) {
        int thread;
        char action = take_action(s, &at, &thread);

        if (!action)
            return gdb_say(out, GDB_INVALID);
        for (unsigned i = 0; i < s->target->processors; i++)
            if (!actions[i] && (thread == THREAD_ALL || thread == (int)i + 1))
                actions[i] = action;
    }
    if (*at)
        return gdb_say(out, GDB_INVALID);
    for (unsigned i = 0; i < s->target->processors; i++) {
        s->processors[i].runs = actions[i] != 0;
        s->processors[i].steps = actions[i] == 's';
        any |= actions[i] != 0;
    }
    return any ? go(s, out) : gdb_say(out, GDB_INVALID);
}

bool gdb_detach(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)at, (void)length;
    gdb_stub_leave(s);
    return gdb_say(out, "OK");
}

bool gdb_kill_quietly(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)at, (void)length, (void)out;
    s->target->kill(s->target->self);
    return false;
}

bool gdb_kill_answered(struct gdb_stub *s, const char *at, size_t length, FILE *out)
{
    (void)at, (void)length;
    s->target->kill(s->target->self);
    return gdb_say(out, "OK");
}
