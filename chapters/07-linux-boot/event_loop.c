/*
 * event_loop.c: one poll() over everything that can happen outside the guest.
 *
 *     wake      output waits, the port has room for keys, or the run has ended
 *     signals   SIGTERM, SIGINT, SIGHUP
 *     input     keys, while there is room for them
 *     output    only while it is full
 *
 * Left out on purpose: timers. A quiet half second is all this loop needs to know.
 */
#define _GNU_SOURCE
#include "07-linux-boot/event_loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/die.h"

#define QUIET_MS 500

/*
 * Guests print byte by byte. A millisecond later there is a line to write, in one
 * piece, and no reader has noticed.
 */
static void let_output_gather(void)
{
    struct timespec millisecond = {.tv_nsec = 1000000};

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
 * keeps it asleep in KVM_RUN. So a processor that has hardly run for half a second
 * is woken to have a look at itself. "Hardly", not "not": a timer that ticks on
 * wakes it inside the kernel, though the guest never hears of it.
 */
static void handle_quiet(struct processor *processor, int64_t *time_before)
{
    int64_t now = processor_time(processor);

    if (now - *time_before < QUIET_MS * INT64_C(1000000) / 20)
        processor_look(processor);
    *time_before = now;
}

enum ending event_loop_run(struct machine *machine, struct console *console, int signals)
{
    enum { WAKE, SIGNALS, INPUT, OUTPUT, COUNT };
    struct pollfd fds[COUNT] = {
        [WAKE] = {.fd = machine->wake, .events = POLLIN},
        [SIGNALS] = {.fd = signals, .events = POLLIN},
        [INPUT] = {.events = POLLIN},
        [OUTPUT] = {.events = POLLOUT},
    };
    int64_t time_before = 0;

    processor_start(&machine->processor);
    while (machine_ending(machine) == ENDING_NONE) {
        bool more = console_pump(console);
        int ready;

        fds[INPUT].fd = console_wants_input(console) ? console->in : -1;
        fds[OUTPUT].fd = console->blocked ? console->out : -1;
        ready = poll(fds, COUNT, more ? 0 : QUIET_MS);
        if (ready < 0 && errno != EINTR)
            die("poll failed: %s", strerror(errno));
        if (ready < 0)
            continue;
        if (ready == 0 && !more)
            handle_quiet(&machine->processor, &time_before);
        if (fds[SIGNALS].revents)
            machine_end(machine, ENDING_SIGNAL);
        if (fds[INPUT].revents && console_read(console))
            machine_end(machine, ENDING_QUIT);
        if (fds[WAKE].revents)
            handle_wake(machine->wake);
    }
    processor_join(&machine->processor);
    console_flush(console);
    return machine_ending(machine);
}
