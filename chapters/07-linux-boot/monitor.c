/* monitor.c: see monitor.h: lines in, text out. */
#define _GNU_SOURCE
#include "07-linux-boot/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/die.h"

#define PROMPT    "(vmm) "
#define BACKSPACE 0x08
#define DELETE    0x7f
#define CTRL_C    0x03
#define CTRL_U    0x15

static void ask_event_loop(const struct monitor *m)
{
    uint64_t one = 1;

    if (write(m->event, &one, sizeof one) < 0)
        return; /* its counter is full: the loop knows */
}

/* ---- as a front end, under the lock ---- */

static size_t receive(void *self, const uint8_t *bytes, size_t count)
{
    struct monitor *m = self;
    size_t room = MONITOR_INPUT - m->input_count;

    count = count < room ? count : room;
    memcpy(m->input + m->input_count, bytes, count);
    m->input_count += (unsigned)count;
    ask_event_loop(m);
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
    struct monitor *m = self;

    if (!m->answer)
        return;
    m->sent += m->sink.put(m->sink.self, (const uint8_t *)m->answer + m->sent, m->size - m->sent);
    if (m->sent < m->size)
        return;
    free(m->answer);
    m->answer = NULL;
    if (m->input_count > 0)
        ask_event_loop(m);
}

/* Somebody looks at it, or has gone: half a line of the one before is no command. */
static void opened(void *self, bool open)
{
    struct monitor *m = self;

    m->length = 0;
    m->asked = false;
    if (open)
        ask_event_loop(m);
}

struct console_end monitor_end(struct monitor *m)
{
    return (struct console_end){
        .receive = receive, .listening = listening, .drain = drain, .opened = opened, .self = m};
}

/* ---- lines ---- */

/* The reader's terminal is raw: a line's end takes both characters. */
static void print_line_end(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            fputc('\r', out);
        fputc(*text, out);
    }
}

static void run_line(struct monitor *m, FILE *out)
{
    char *text = NULL;
    size_t size;
    FILE *answer = open_memstream(&text, &size);

    if (!answer)
        die("no memory for an answer");
    m->line[m->length] = '\0';
    m->length = 0;
    m->asked = false;
    monitor_command(m, m->line, answer);
    fclose(answer);
    print_line_end(out, text);
    free(text);
}

/* One byte of input. True: it ended a line. */
static bool take_key(struct monitor *m, uint8_t key, FILE *out)
{
    switch (key) {
    case '\r':
    case '\n':
        if (m->echo)
            fputs("\r\n", out);
        run_line(m, out);
        return true;
    case BACKSPACE:
    case DELETE:
        if (m->length > 0 && m->echo)
            fputs("\b \b", out);
        m->length -= m->length > 0;
        return false;
    case CTRL_C:
    case CTRL_U:
        m->length = 0;
        m->asked = false;
        if (m->echo)
            fputs("\r\n", out);
        return false;
    default:
        if (key < ' ' || m->length + 1 == MONITOR_LINE)
            return false;
        m->line[m->length++] = (char)key;
        if (m->echo)
            fputc(key, out);
        return false;
    }
}

/* Input up to the end of one line, so that answers are as many as there is room for. */
static void take_line(struct monitor *m, FILE *out)
{
    unsigned used = 0;

    while (used < m->input_count && !take_key(m, m->input[used], out))
        used++;
    used += used < m->input_count;
    m->input_count -= used;
    memmove(m->input, m->input + used, m->input_count);
}

void monitor_run(void *self)
{
    struct monitor *m = self;
    pthread_mutex_t *lock = &m->machine->devices.lock;
    uint64_t times;
    FILE *out;

    if (read(m->event, &times, sizeof times) < 0 && errno != EAGAIN)
        die("eventfd: %s", strerror(errno));
    if (m->answer)
        return; /* the reader first */
    out = open_memstream(&m->answer, &m->size);
    if (!out)
        die("no memory for an answer");
    take_line(m, out);
    if (!m->asked)
        fputs(PROMPT, out);
    m->asked = true;
    fclose(out);
    m->sent = 0;
    pthread_mutex_lock(lock);
    drain(m);
    pthread_mutex_unlock(lock);
    m->wake(m->wake_self);
}

void monitor_init(struct monitor *m, struct inventory *inventory)
{
    *m = (struct monitor){.inventory = inventory, .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (m->event < 0)
        die("eventfd failed: %s", strerror(errno));
}

void monitor_free(struct monitor *m)
{
    free(m->answer);
    close(m->event);
}

void monitor_connect(struct monitor *m, struct byte_sink sink, void (*wake)(void *self),
                     void *wake_self, bool echo)
{
    m->sink = sink;
    m->wake = wake;
    m->wake_self = wake_self;
    m->echo = echo;
}

void monitor_attach(struct monitor *m, struct machine *machine, void (*press)(void *button),
                    void *button)
{
    m->machine = machine;
    m->press = press;
    m->button = button;
    m->stopped = m->hold;
    m->hold = false;
    if (m->stopped)
        machine_hold(machine);
    watches_add(&machine->watches, m->event, monitor_run, m);
}

void monitor_let_go(struct monitor *m)
{
    if (m->stopped)
        machine_resume(m->machine);
    m->stopped = false;
}

void monitor_detach(struct monitor *m)
{
    m->machine = NULL;
}
