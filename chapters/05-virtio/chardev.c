/*
 * chardev.c: see chardev.h. Open at hand: epoll(7), timerfd_create(2).
 *
 * The event loop watches one descriptor, an epoll. Behind it are the other end, while there
 * is something to be done about it, and a timer. The timer is how other threads ask for
 * attention: put() sets it to a millisecond, in which more output gathers, and
 * chardev_wake() to at once. Whatever it was, ready() then does all that can be done; so
 * nothing depends on which event came first, and none can be lost.
 */
#define _GNU_SOURCE
#include "05-virtio/chardev.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/die.h"

#define GATHER_NS      1000000  /* of output, before it is written */
#define LISTENING_NS   50000000 /* until a driver is asked again whether it listens */
#define FLUSH_PATIENCE 1000     /* milliseconds */
#define WRITE_MAX      16384u   /* bytes in one turn of the event loop, as one file may have */

static void set_timer(const struct chardev *c, int64_t ns)
{
    struct itimerspec when = {.it_value = {ns / 1000000000, ns % 1000000000}};

    timerfd_settime(c->timer, 0, &when, NULL);
}

void chardev_wake(void *self)
{
    const struct chardev *c = self;

    if (c->console)
        console_wake(c->console);
    else
        set_timer(c, 1);
}

static size_t put(void *self, const uint8_t *bytes, size_t count)
{
    struct chardev *c = self;
    unsigned tail, before;
    size_t taken, run;

    pthread_mutex_lock(&c->ring_lock);
    if (!c->connected) {
        pthread_mutex_unlock(&c->ring_lock);
        return count; /* into the air */
    }
    before = c->count;
    tail = (c->head + c->count) % CHARDEV_RING;
    taken = CHARDEV_RING - c->count < count ? CHARDEV_RING - c->count : count;
    run = CHARDEV_RING - tail < taken ? CHARDEV_RING - tail : taken;
    memcpy(c->ring + tail, bytes, run);
    memcpy(c->ring, bytes + run, taken - run);
    c->count += (unsigned)taken;
    pthread_mutex_unlock(&c->ring_lock);
    if (before == 0 && taken > 0)
        set_timer(c, GATHER_NS);
    return taken;
}

struct byte_sink chardev_sink(struct chardev *c)
{
    return c->console ? console_sink(c->console) : (struct byte_sink){put, c};
}

/* ---- somebody comes and goes ---- */

static void tell_end(struct chardev *c)
{
    if (!c->lock || !c->end.opened)
        return;
    pthread_mutex_lock(c->lock);
    c->end.opened(c->end.self, c->connected);
    pthread_mutex_unlock(c->lock);
}

static void set_connected(struct chardev *c, bool connected)
{
    pthread_mutex_lock(&c->ring_lock);
    c->connected = connected;
    c->blocked = false;
    c->count = 0; /* what the one before did not read, nobody reads */
    pthread_mutex_unlock(&c->ring_lock);
    tell_end(c);
}

void chardev_connect(struct chardev *c, int in, int out)
{
    c->in = in;
    c->out = out;
    set_connected(c, true);
}

static void forget(struct chardev *c, int fd)
{
    if (fd >= 0)
        (void)epoll_ctl(c->events, EPOLL_CTL_DEL, fd, NULL); /* it may not be in there */
}

void chardev_hang_up(struct chardev *c)
{
    forget(c, c->in);
    forget(c, c->out);
    if (c->class->left)
        c->class->left(c);
    c->in = c->out = -1;
    set_connected(c, false);
}

void chardev_listen(struct chardev *c, int listener)
{
    c->listener = listener;
}

/* ---- what can be done now ---- */

/* False: the other end has left. */
static bool read_keys(struct chardev *c)
{
    ssize_t got;

    if (c->in < 0 || c->key_count == CHARDEV_KEYS)
        return true;
    got = read(c->in, c->keys + c->key_count, CHARDEV_KEYS - c->key_count);
    if (got > 0)
        c->key_count += (unsigned)got;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* What the front end takes of the input. */
static void send_keys(struct chardev *c)
{
    bool listening;
    size_t taken = 0;

    if (c->key_count == 0 || !c->lock)
        return;
    pthread_mutex_lock(c->lock);
    listening = c->end.listening(c->end.self);
    if (listening)
        taken = c->end.receive(c->end.self, c->keys, c->key_count);
    pthread_mutex_unlock(c->lock);
    c->key_count -= (unsigned)taken;
    memmove(c->keys, c->keys + taken, c->key_count);
    if (!listening)
        set_timer(c, LISTENING_NS); /* nobody tells us when it does */
}

/* The longest run of the ring that can be written at once. */
static unsigned next_run(struct chardev *c, unsigned *head)
{
    unsigned run;

    pthread_mutex_lock(&c->ring_lock);
    *head = c->head;
    run = CHARDEV_RING - c->head < c->count ? CHARDEV_RING - c->head : c->count;
    pthread_mutex_unlock(&c->ring_lock);
    return run < WRITE_MAX ? run : WRITE_MAX;
}

static void drop_run(struct chardev *c, unsigned written, bool blocked)
{
    pthread_mutex_lock(&c->ring_lock);
    c->head = (c->head + written) % CHARDEV_RING;
    c->count -= written;
    c->blocked = blocked;
    pthread_mutex_unlock(&c->ring_lock);
}

static void complain(struct chardev *c, int error)
{
    if (!c->complained)
        warn("%s: cannot write the guest's output: %s; it goes on without", c->name,
             strerror(error));
    c->complained = true;
}

/*
 * A piece of the ring into the world; the bytes stay where they are meanwhile, since put()
 * only adds behind them. A file that cannot be written loses the piece, and the guest goes
 * on. False: the other end has left.
 */
static bool write_ring(struct chardev *c)
{
    unsigned head, run = next_run(c, &head);
    ssize_t written;

    if (run == 0 || c->out < 0)
        return true;
    written = write(c->out, c->ring + head, run);
    if (written < 0 && (errno == EPIPE || errno == ECONNRESET || errno == EIO) && c->class->left)
        return false;
    if (written < 0 && errno != EAGAIN && errno != EINTR) {
        complain(c, errno);
        written = run;
    }
    drop_run(c, written > 0 ? (unsigned)written : 0, written < 0 && errno == EAGAIN);
    return true;
}

/* The front end has kept what the full ring did not take. */
static void drain_end(struct chardev *c)
{
    if (!c->lock || !c->end.drain)
        return;
    pthread_mutex_lock(c->lock);
    c->end.drain(c->end.self);
    pthread_mutex_unlock(c->lock);
}

/* ---- the event loop's side ---- */

/* A descriptor's place in the epoll: there while something is wanted of it, else not. */
static void want(struct chardev *c, int fd, uint32_t what)
{
    struct epoll_event event = {.events = what};

    if (fd < 0)
        return;
    if (what == 0)
        forget(c, fd); /* or it would go on telling that the other end has left */
    else if (epoll_ctl(c->events, EPOLL_CTL_MOD, fd, &event) < 0 && errno == ENOENT)
        (void)epoll_ctl(c->events, EPOLL_CTL_ADD, fd, &event); /* a file needs no place */
}

static void arm(struct chardev *c)
{
    bool blocked, waits;
    uint32_t in, out;

    pthread_mutex_lock(&c->ring_lock);
    blocked = c->blocked;
    waits = c->count > 0 && !c->blocked;
    pthread_mutex_unlock(&c->ring_lock);
    in = c->key_count == 0 ? EPOLLIN : 0;
    out = blocked ? EPOLLOUT : 0;
    if (c->in == c->out) {
        want(c, c->in, in | out);
    } else {
        want(c, c->in, in);
        want(c, c->out, out);
    }
    want(c, c->calling, EPOLLOUT);
    if (!c->look_again)
        want(c, c->listener, c->connected && !c->class->refuse ? 0 : EPOLLIN);
    if (waits)
        set_timer(c, 1); /* more than one turn's worth */
    else if (!c->connected && c->look_again)
        set_timer(c, c->look_again * INT64_C(1000000));
}

static void ready(void *self)
{
    struct chardev *c = self;
    uint64_t expired;

    if (read(c->timer, &expired, sizeof expired) < 0 && errno != EAGAIN)
        die("timerfd: %s", strerror(errno));
    if (!c->connected && c->class->look)
        c->class->look(c);
    else if (c->connected && c->class->refuse)
        c->class->refuse(c);
    if (!read_keys(c) || !write_ring(c))
        chardev_hang_up(c);
    send_keys(c);
    drain_end(c);
    arm(c);
}

void chardev_attach(struct chardev *c, struct console_end end, pthread_mutex_t *lock,
                    struct watches *watches)
{
    if (c->console) {
        console_attach_end(c->console, end, lock);
    } else {
        c->end = end;
        c->lock = lock;
        watches_add(watches, c->events, ready, c);
        set_timer(c, 1);
    }
    if (end.opened) {
        pthread_mutex_lock(lock);
        end.opened(end.self, c->console || c->connected);
        pthread_mutex_unlock(lock);
    }
}

static void flush(struct chardev *c)
{
    struct pollfd writable = {.fd = c->out, .events = POLLOUT};
    unsigned head;

    while (c->connected && next_run(c, &head) > 0) {
        if (poll(&writable, 1, FLUSH_PATIENCE) <= 0 || !write_ring(c))
            return;
        drain_end(c);
    }
}

void chardev_detach(struct chardev *c)
{
    if (c->console)
        return; /* console_detach() is the event loop's owner's */
    flush(c);
    c->end = (struct console_end){0};
    c->lock = NULL;
}

/* All but the ring: its count says how far it is filled, and untouched pages cost nothing. */
static void clear(struct chardev *c)
{
    memset(c, 0, offsetof(struct chardev, ring));
}

void chardev_init(struct chardev *c, const struct chardev_class *class, const char *name)
{
    struct epoll_event event = {.events = EPOLLIN};

    clear(c);
    c->class = class;
    c->name = name;
    c->in = c->out = c->listener = c->calling = -1;
    pthread_mutex_init(&c->ring_lock, NULL);
    c->events = epoll_create1(EPOLL_CLOEXEC);
    c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (c->events < 0 || c->timer < 0 || epoll_ctl(c->events, EPOLL_CTL_ADD, c->timer, &event) < 0)
        die("epoll, timerfd: %s", strerror(errno));
}

void chardev_close(struct chardev *c)
{
    if (c->console)
        return;
    if (c->class->close)
        c->class->close(c);
    if (c->out >= 0 && c->out != c->in)
        close(c->out);
    if (c->in >= 0)
        close(c->in);
    if (c->listener >= 0)
        close(c->listener);
    if (c->calling >= 0)
        close(c->calling);
    close(c->timer);
    close(c->events);
    pthread_mutex_destroy(&c->ring_lock);
}

static const struct chardev_class plain = {.look = NULL};

void chardev_open_null(struct chardev *c)
{
    chardev_init(c, &plain, "null");
}

void chardev_open_console(struct chardev *c, struct console *console)
{
    clear(c);
    c->class = &plain;
    c->console = console;
}
