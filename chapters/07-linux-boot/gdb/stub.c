/*
 * stub.c: see stub.h: bytes in and out. When the guest stops and goes on is in stops.c, what
 * packets mean in commands.c.
 */
#include "07-linux-boot/gdb/stub.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/bits.h"
#include "common/die.h"

static void ask_event_loop(const struct gdb_stub *s)
{
    uint64_t one = 1;

    if (write(s->event, &one, sizeof one) < 0)
        return; /* its counter is full: the loop knows */
}

void gdb_stub_hit(void *self)
{
    ask_event_loop(self);
}

/* ---- as a front end, under the lock ---- */

static size_t receive(void *self, const uint8_t *bytes, size_t count)
{
    struct gdb_stub *s = self;
    size_t room = GDB_INPUT - s->input_count;

    count = count < room ? count : room;
    memcpy(s->input + s->input_count, bytes, count);
    s->input_count += (unsigned)count;
    ask_event_loop(s);
    return count;
}

static bool listening(void *self)
{
    (void)self;
    return true;
}

/* What the sink takes of the answer now. */
static void drain(void *self)
{
    struct gdb_stub *s = self;

    if (s->sent == s->size)
        return;
    s->sent += s->sink.put(s->sink.self, (const uint8_t *)s->answer + s->sent, s->size - s->sent);
    if (s->sent == s->size)
        ask_event_loop(s); /* for what has waited meanwhile */
}

static void opened(void *self, bool open)
{
    struct gdb_stub *s = self;

    if (!s->open || !open) { /* else he is the same, and the machine another */
        s->fresh = true;
        s->input_count = 0;
        s->sent = s->size; /* what the one before did not read */
    }
    s->open = open;
    s->callers++;
    ask_event_loop(s);
}

struct console_end gdb_stub_end(struct gdb_stub *s)
{
    return (struct console_end){
        .receive = receive, .listening = listening, .drain = drain, .opened = opened, .self = s};
}

/* gdb's numbers of signals. */
#define GDB_SIGABRT 6u
#define GDB_SIGTERM 15u

/* ---- packets ---- */

static void handle_packet(struct gdb_stub *s, FILE *out)
{
    char *text;
    size_t size;
    FILE *answer = open_memstream(&text, &size);
    bool answered;

    if (!answer)
        die("no memory for an answer");
    if (s->acks)
        fputc('+', out);
    answered = gdb_command(s, s->reader.data, s->reader.length, answer);
    fclose(answer);
    if (answered)
        packet_write(out, text, size);
    free(text);
}

/* True: there is something to be sent. */
static bool take_byte(struct gdb_stub *s, uint8_t byte, FILE *out)
{
    switch (packet_take(&s->reader, byte)) {
    case PACKET_NOTHING: return false;
    case PACKET_WHOLE: handle_packet(s, out); return true;
    case PACKET_DAMAGED:
        if (s->acks)
            fputc('-', out);
        return true;
    case PACKET_TOO_LONG:
        if (s->acks)
            fputc('+', out);
        packet_write(out, "E16", 3);
        return true;
    case PACKET_AGAIN: s->sent = s->acks ? 0 : s->size; return true;
    case PACKET_INTERRUPT: return gdb_stub_interrupt(s, out);
    }
    return false;
}

/* Input up to something that has an answer. */
static void take_input(struct gdb_stub *s, FILE *out)
{
    unsigned used = 0;

    while (used < s->input_count && !take_byte(s, s->input[used], out))
        used++;
    used += used < s->input_count;
    s->input_count -= used;
    memmove(s->input, s->input + used, s->input_count);
}

/* New text replaces the last answer; none leaves it, to be sent once more if asked for. */
static void set_answer(struct gdb_stub *s, char *text, size_t size)
{
    if (size == 0) {
        free(text);
        return;
    }
    free(s->answer);
    s->answer = text;
    s->size = size;
    s->sent = 0;
}

void gdb_stub_run(void *self)
{
    struct gdb_stub *s = self;
    uint64_t times;
    char *text = NULL;
    size_t size;
    FILE *out;

    if (read(s->event, &times, sizeof times) < 0 && errno != EAGAIN)
        die("eventfd: %s", strerror(errno));
    if (!s->target)
        return;
    if (s->served != s->callers)
        gdb_stub_change_caller(s);
    if (s->sent < s->size)
        return; /* the reader first */
    out = open_memstream(&text, &size);
    if (!out)
        die("no memory for an answer");
    gdb_stub_look(s, out);
    if (ftell(out) == 0)
        take_input(s, out);
    fclose(out);
    set_answer(s, text, size);
    pthread_mutex_lock(s->target->lock);
    drain(s);
    pthread_mutex_unlock(s->target->lock);
    if (s->sent == s->size && s->input_count > 0)
        ask_event_loop(s);
    s->wake(s->wake_self);
}

/* ---- life ---- */

void gdb_stub_init(struct gdb_stub *s)
{
    *s = (struct gdb_stub){.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (s->event < 0)
        die("eventfd failed: %s", strerror(errno));
}

void gdb_stub_free(struct gdb_stub *s)
{
    free(s->answer);
    close(s->event);
}

void gdb_stub_connect(struct gdb_stub *s, struct byte_sink sink, void (*wake)(void *self),
                      void *wake_self)
{
    s->sink = sink;
    s->wake = wake;
    s->wake_self = wake_self;
}

void gdb_stub_attach(struct gdb_stub *s, const struct gdb_target *target)
{
    assert(target->processors <= PROCESSORS_MAX);
    s->target = target;
    s->breakpoints.means = target->means;
}

static void tell_end(struct gdb_stub *s, enum ending ending)
{
    char text[16], *framed;
    size_t size;
    FILE *out = open_memstream(&framed, &size);

    if (!out)
        die("no memory for an answer");
    if (ending == ENDING_CRASH || ending == ENDING_STUCK)
        snprintf(text, sizeof text, "X%02x", GDB_SIGABRT);
    else if (ending == ENDING_SIGNAL)
        snprintf(text, sizeof text, "X%02x", GDB_SIGTERM);
    else
        snprintf(text, sizeof text, "W%02x", ending_status(ending));
    packet_write(out, text, strlen(text));
    fclose(out);
    set_answer(s, framed, size);
    pthread_mutex_lock(s->target->lock);
    drain(s);
    pthread_mutex_unlock(s->target->lock);
}

/* gdb waits for news only while the guest runs. */
bool gdb_stub_detach(struct gdb_stub *s, enum ending ending)
{
    bool told = s->attached && !s->stopped;

    if (told) {
        tell_end(s, ending);
        s->open = false;
    }
    s->attached = s->stopped = false;
    s->breakpoints = (struct breakpoints){.count = 0};
    s->target = NULL;
    return told;
}
