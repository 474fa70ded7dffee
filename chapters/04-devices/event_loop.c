/*
 * event_loop.c: one poll() over everything that can happen outside the guest.
 *
 *     wake      output waits, the port has room for keys, or the run has ended
 *     signals   SIGTERM, SIGINT, SIGHUP
 *     input     keys, while there is room for them
 *     output    only while it is full
 *     alarms    a device's moment has come
 *     watches   whatever else somebody wants to hear about: doorbells, back ends
 */
#define _GNU_SOURCE
#include "04-devices/event_loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/die.h"

#define MILLISECOND INT64_C(1000000)
#define QUIET_MIN   (50 * MILLISECOND)
#define QUIET_MAX   (500 * MILLISECOND)

/*
 * Guests print byte by byte. A millisecond later there is a line to write, in one
 * piece, and no reader has noticed.
 */
static void let_output_gather(void)
{
    struct timespec millisecond = {.tv_nsec = MILLISECOND};

    nanosleep(&millisecond, NULL);
}

static void handle_wake(int wake)
{
    uint64_t times;

    if (read(wake, &times, sizeof times) == sizeof times)
        let_output_gather();
}

/*
 * A guest that powers itself off without ACPI halts with interrupts off, and KVM
 * keeps it asleep in KVM_RUN. So processors that have hardly run for a while are woken
 * to have a look at themselves. "Hardly", not "not": a timer that ticks on wakes them
 * inside the kernel, though the guest never hears of it. A machine that idles in earnest
 * is looked at more and more seldom.
 */
struct quiet {
    int64_t next, interval; /* when to look, and how long that is from the last look */
    int64_t time_before;    /* the processors' CPU time then */
};

static void handle_quiet(struct quiet *quiet, struct machine *machine, int64_t now)
{
    int64_t time = machine_processor_time(machine);

    if (now < quiet->next)
        return;
    if (time - quiet->time_before < quiet->interval / 20) {
        if (machine_sleeps_for_good(machine))
            machine_end(machine, ENDING_OFF);
        quiet->interval = quiet->interval < QUIET_MAX / 2 ? 2 * quiet->interval : QUIET_MAX;
    } else {
        quiet->interval = QUIET_MIN;
    }
    quiet->time_before = time;
    quiet->next = now + quiet->interval;
}

static void handle_alarms(struct machine *machine)
{
    pthread_mutex_lock(&machine->devices.lock);
    alarms_ring(&machine->alarms);
    pthread_mutex_unlock(&machine->devices.lock);
}

enum { WAKE, SIGNALS, INPUT, OUTPUT, ALARMS, WATCHES };

/* What we wait for now; it changes from one turn of the loop to the next. */
static unsigned gather(struct pollfd *fds, const struct machine *machine,
                       const struct console *console)
{
    fds[INPUT].fd = console_wants_input(console) ? console->in : -1;
    fds[OUTPUT].fd = console->blocked ? console->out : -1;
    for (unsigned i = 0; i < machine->watches.count; i++)
        fds[WATCHES + i] = (struct pollfd){.fd = machine->watches.list[i].fd, .events = POLLIN};
    return WATCHES + machine->watches.count;
}

static void handle_watches(const struct pollfd *fds, unsigned count, const struct machine *machine)
{
    for (unsigned i = WATCHES; i < count; i++) {
        const struct watch *watch = &machine->watches.list[i - WATCHES];

        if (fds[i].revents)
            watch->ready(watch->self);
    }
}

enum ending event_loop_run(struct machine *machine, struct console *console, int signals)
{
    struct pollfd fds[WATCHES + WATCHES_MAX] = {
        [WAKE] = {.fd = machine->wake, .events = POLLIN},
        [SIGNALS] = {.fd = signals, .events = POLLIN},
        [INPUT] = {.events = POLLIN},
        [OUTPUT] = {.events = POLLOUT},
        [ALARMS] = {.fd = machine->alarms.fd, .events = POLLIN},
    };
    struct clock clock = machine_clock(machine);
    struct quiet quiet = {.next = clock_now(&clock) + QUIET_MIN, .interval = QUIET_MIN};

    machine_start(machine);
    while (machine_ending(machine) == ENDING_NONE) {
        bool more = console_pump(console);
        unsigned count = gather(fds, machine, console);
        int ready = poll(fds, count, more ? 0 : (int)(quiet.interval / MILLISECOND));

        if (ready < 0 && errno != EINTR)
            die("poll failed: %s", strerror(errno));
        if (ready < 0)
            continue;
        handle_quiet(&quiet, machine, clock_now(&clock));
        if (fds[SIGNALS].revents)
            machine_end(machine, ENDING_SIGNAL);
        if (fds[INPUT].revents && console_read(console))
            machine_end(machine, ENDING_QUIT);
        if (fds[ALARMS].revents)
            handle_alarms(machine);
        handle_watches(fds, count, machine);
        if (fds[WAKE].revents)
            handle_wake(machine->wake);
    }
    machine_join(machine);
    console_flush(console);
    return machine_ending(machine);
}
