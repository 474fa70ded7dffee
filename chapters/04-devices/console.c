/*
 * console.c: see console.h.
 *
 * Standard output is often the same open file as the shell's: making it
 * non-blocking would make the shell's so, too. Terminals and FIFOs can be opened a
 * second time through /proc, and that open file is ours alone. Where this fails,
 * writes are small enough for a pipe that poll() calls writable.
 *
 * Left out on purpose: serial ports on sockets and files of their own, a log.
 *
 * Longer than most: the two directions share one state, and each end has its own way to break.
 */
#define _GNU_SOURCE
#include "04-devices/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/die.h"

#define CTRL_A         0x01
#define KEY_PATIENCE   1000 /* milliseconds */
#define FLUSH_PATIENCE 1000 /* milliseconds */

/* The terminal is raw: a line's end takes both characters. */
static const char help[] = "\r\n"
                           "Ctrl-A x       quit\r\n"
                           "Ctrl-A b       send a break (Linux: SysRq)\r\n"
                           "Ctrl-A Ctrl-A  send Ctrl-A\r\n"
                           "Ctrl-A h       this help\r\n";
static const char power_help[] = "Ctrl-A p       press the power button\r\n";
static const char other_help[] = "Ctrl-A c       turn to the monitor, and back\r\n";

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int open_again(int fd)
{
    struct stat info;
    char path[32];
    int own = -1;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || isatty(fd)))
        own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void console_init(struct console *console, int in, int out, int wake)
{
    memset(console, 0, offsetof(struct console, ring));
    console->in = in;
    console->out = open_again(out);
    console->wake = wake;
    console->is_terminal = isatty(in);
}

void console_free(struct console *console)
{
    if (console->out >= 0)
        close(console->out);
    console->out = -1;
}

/* The event loop sleeps in poll(); an eventfd gets it out of there. */
void console_wake(void *self)
{
    const struct console *console = self;
    uint64_t one = 1;

    if (write(console->wake, &one, sizeof one) < 0)
        return; /* its counter is full: the loop is awake */
}

static size_t console_put(void *self, const uint8_t *bytes, size_t count)
{
    struct console *console = self;
    bool was_empty = console->ring_count == 0;
    unsigned tail = (console->ring_head + console->ring_count) % CONSOLE_RING;
    size_t taken = CONSOLE_RING - console->ring_count;
    size_t run = CONSOLE_RING - tail;

    if (taken > count)
        taken = count;
    if (run > taken)
        run = taken;
    memcpy(console->ring + tail, bytes, run);
    memcpy(console->ring, bytes + run, taken - run);
    console->ring_count += (unsigned)taken;
    if (was_empty && taken > 0)
        console_wake(console);
    return taken;
}

struct byte_sink console_sink(struct console *console)
{
    return (struct byte_sink){.put = console_put, .self = console};
}

void console_attach_end(struct console *console, struct console_end end, pthread_mutex_t *lock)
{
    console->end = end;
    console->lock = lock;
}

static size_t nobody_receives(void *self, const uint8_t *bytes, size_t count)
{
    (void)self, (void)bytes;
    return count;
}

static bool nobody_listens(void *self)
{
    (void)self;
    return true;
}

static void nobody_prints(void *self)
{
    (void)self;
}

void console_attach_nobody(struct console *console, pthread_mutex_t *lock)
{
    struct console_end nobody = {
        .receive = nobody_receives, .listening = nobody_listens, .drain = nobody_prints};

    console_attach_end(console, nobody, lock);
}

static size_t port_receive(void *self, const uint8_t *bytes, size_t count)
{
    return uart_receive(self, bytes, count);
}

static bool port_listening(void *self)
{
    return uart_listening(self);
}

static void port_drain(void *self)
{
    uart_drain(self);
}

static void port_lost(void *self)
{
    uart_receive_lost(self);
}

static void port_break(void *self)
{
    uart_receive_break(self);
}

struct console_end console_port_end(struct uart *port)
{
    return (struct console_end){.receive = port_receive,
                                .listening = port_listening,
                                .drain = port_drain,
                                .lost = port_lost,
                                .send_break = port_break,
                                .self = port};
}

void console_attach_other(struct console *console, struct console_end end)
{
    console->other = end;
}

void console_attach(struct console *console, struct uart *port, pthread_mutex_t *lock)
{
    console_attach_end(console, console_port_end(port), lock);
    uart_on_room(port, console_wake, console);
}

void console_on_power(struct console *console, void (*press)(void *button), void *button)
{
    console->press = press;
    console->button = button;
}

static void tell_end(const struct console_end *end, bool open)
{
    if (end->opened)
        end->opened(end->self, open);
}

static void swap_keys(struct console *console)
{
    uint8_t keys[CONSOLE_KEYS];
    unsigned count = console->key_count;

    memcpy(keys, console->keys, count);
    memcpy(console->keys, console->other_keys, console->other_key_count);
    memcpy(console->other_keys, keys, count);
    console->key_count = console->other_key_count;
    console->other_key_count = count;
}

void console_detach(struct console *console)
{
    if (console->turned)
        swap_keys(console);
    console->turned = false;
    console->end = console->other = (struct console_end){0};
    console->press = NULL;
    console->lock = NULL;
}

bool console_wants_input(const struct console *console)
{
    if (console->in < 0)
        return false;
    if (console->key_count < CONSOLE_KEYS)
        return true;
    return console->is_terminal && milliseconds() - console->keys_moved >= KEY_PATIENCE;
}

static void console_key(struct console *console, uint8_t key)
{
    if (console->key_count < CONSOLE_KEYS) {
        console->keys[console->key_count++] = key;
        return;
    }
    if (!console->end.lost)
        return;
    pthread_mutex_lock(console->lock);
    console->end.lost(console->end.self);
    pthread_mutex_unlock(console->lock);
}

static void turn_to_other(struct console *console)
{
    struct console_end end = console->end;

    pthread_mutex_lock(console->lock);
    console->end = console->other;
    console->other = end;
    swap_keys(console);
    console->turned = !console->turned;
    tell_end(&console->other, false);
    tell_end(&console->end, true);
    pthread_mutex_unlock(console->lock);
}

/* The key after Ctrl-A. True: quit. */
static bool console_command(struct console *console, uint8_t key)
{
    switch (key) {
    case 'x':
    case 'X': return true;
    case CTRL_A: console_key(console, key); return false;
    case 'b':
        if (!console->end.send_break)
            return false;
        pthread_mutex_lock(console->lock);
        console->end.send_break(console->end.self);
        pthread_mutex_unlock(console->lock);
        return false;
    case 'c':
        if (!console->other.self)
            break;
        turn_to_other(console);
        return false;
    case 'p':
        if (!console->press)
            break;
        pthread_mutex_lock(console->lock);
        console->press(console->button);
        pthread_mutex_unlock(console->lock);
        return false;
    default: break;
    }
    fputs(help, stderr);
    if (console->press)
        fputs(power_help, stderr);
    if (console->other.self)
        fputs(other_help, stderr);
    return false;
}

bool console_read(struct console *console)
{
    uint8_t bytes[1024];
    size_t room = CONSOLE_KEYS - console->key_count;
    ssize_t got;

    if (room == 0 || room > sizeof bytes)
        room = sizeof bytes; /* no room, but the user may want to quit: see the header */
    got = read(console->in, bytes, room);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return false;
    if (got <= 0) {
        console->in = -1; /* nothing will ever come again: stop asking */
        return false;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (console->escape) {
            console->escape = false;
            if (console_command(console, bytes[i]))
                return true;
        } else if (bytes[i] == CTRL_A) {
            console->escape = true;
        } else {
            console_key(console, bytes[i]);
        }
    }
    return false;
}

/* What an end takes of its keys; how many. */
static size_t send_keys(const struct console *console, const struct console_end *end, uint8_t *keys,
                        unsigned *count)
{
    size_t taken = 0;

    if (*count == 0 || !end->receive)
        return 0;
    pthread_mutex_lock(console->lock);
    if (console->is_terminal || end->listening(end->self))
        taken = end->receive(end->self, keys, *count);
    pthread_mutex_unlock(console->lock);
    *count -= (unsigned)taken;
    memmove(keys, keys + taken, *count);
    return taken;
}

static void console_send_keys(struct console *console)
{
    if (send_keys(console, &console->end, console->keys, &console->key_count) > 0)
        console->keys_moved = milliseconds();
    send_keys(console, &console->other, console->other_keys, &console->other_key_count);
}

/* How much of count bytes the world took; all of it if it takes none any more. */
static size_t console_write(struct console *console, const uint8_t *bytes, size_t count)
{
    struct pollfd writable = {.fd = console->out, .events = POLLOUT};
    ssize_t written;

    if (count > PIPE_BUF)
        count = PIPE_BUF;
    if (console->out >= 0 && poll(&writable, 1, 0) == 0) {
        console->blocked = true;
        return 0;
    }
    written = write(console->out, bytes, count);
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) {
        console->blocked = errno == EAGAIN;
        return 0;
    }
    console->blocked = false;
    if (written >= 0)
        return (size_t)written;
    if (!console->complained)
        warn("cannot write the guest's output: %s; it goes on without", strerror(errno));
    console->complained = true;
    return count;
}

/*
 * One piece of the ring out into the world, and then the port's FIFO into the
 * ring. The bytes stay put while we write them without the lock: console_put()
 * only adds behind them. False: nothing moved.
 */
static bool console_drain(struct console *console)
{
    unsigned head, run;
    size_t written;

    pthread_mutex_lock(console->lock);
    head = console->ring_head;
    run = CONSOLE_RING - head;
    if (run > console->ring_count)
        run = console->ring_count;
    pthread_mutex_unlock(console->lock);
    if (run == 0)
        return false;

    written = console_write(console, console->ring + head, run);

    pthread_mutex_lock(console->lock);
    console->ring_head = (head + (unsigned)written) % CONSOLE_RING;
    console->ring_count -= (unsigned)written;
    console->end.drain(console->end.self);
    if (console->other.self)
        console->other.drain(console->other.self);
    pthread_mutex_unlock(console->lock);
    return written > 0;
}

bool console_pump(struct console *console)
{
    console_send_keys(console);
    return console_drain(console);
}

void console_flush(struct console *console)
{
    struct pollfd writable = {.fd = console->out, .events = POLLOUT};

    while (console_drain(console) || (console->blocked && poll(&writable, 1, FLUSH_PATIENCE) > 0))
        continue;
}
