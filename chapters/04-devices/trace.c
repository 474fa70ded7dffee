/* trace.c: see trace.h. Open at hand: [TRACE]. */
#define _GNU_SOURCE
#include "04-devices/trace.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/die.h"

#define HEADER  "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
#define TRAILER "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"VMM\"}}]}\n"

/* Where slot n (counted from the beginning of time) is in the file. */
static off_t slot_offset(uint64_t n)
{
    return (off_t)(TRACE_PAGE + n % TRACE_SLOTS * TRACE_SLOT);
}

static bool write_all(int fd, const char *bytes, size_t size, off_t offset)
{
    return pwrite(fd, bytes, size, offset) == (ssize_t)size;
}

/* A page of blanks that begins with text and ends with a line's end. */
static void blank_page(char page[TRACE_PAGE], const char *text)
{
    memset(page, ' ', TRACE_PAGE);
    memcpy(page, text, strlen(text));
    page[TRACE_PAGE - 1] = '\n';
}

/*
 * All the blanks, and the end before the beginning: until the first page is there the
 * file is no JSON, but nobody has been promised anything yet.
 */
int trace_create(const char *path, struct refusal *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    return fd < 0 ? refuse(why, -errno, "%s: %s", path, strerror(errno)) : fd;
}

int trace_open(struct trace *trace, int fd, int64_t origin, struct refusal *why)
{
    bool good;

    *trace = (struct trace){.origin = origin, .fd = fd};
    /* Devices that can't be cut, such as /dev/full, say what is wrong when written to. */
    good = (ftruncate(fd, 0) == 0 || errno == EINVAL);
    good = good && write_all(trace->fd, TRAILER, strlen(TRAILER),
                             slot_offset(0) + TRACE_SLOTS * TRACE_SLOT);
    blank_page(trace->page, "");
    for (unsigned i = 0; good && i < TRACE_SLOTS; i += TRACE_PAGE_FULL)
        good = write_all(trace->fd, trace->page, TRACE_PAGE, slot_offset(i));
    blank_page(trace->page, HEADER);
    good = good && write_all(trace->fd, trace->page, TRACE_PAGE, 0);
    if (!good) {
        int error = errno ? errno : ENOSPC;

        close(trace->fd);
        return refuse(why, -error, "cannot write %u MiB: %s", TRACE_SLOTS * TRACE_SLOT >> 20,
                      strerror(error));
    }
    blank_page(trace->page, "");
    pthread_mutex_init(&trace->lock, NULL);
    return 0;
}

int trace_format(const struct trace_event *event, int64_t origin, char text[TRACE_SLOT])
{
    char name[80], details[160] = "", rip[32] = "";
    int size;

    snprintf(name, sizeof name, "%s", event->reason);
    if (event->verb) {
        snprintf(name, sizeof name, "%s 0x%" PRIx64 " %.24s", event->verb, event->address,
                 event->device);
        snprintf(details, sizeof details, ",\"size\":%u,\"count\":%u,\"data\":\"0x%" PRIx64 "\"",
                 event->size, event->count, event->data);
    }
    if (event->has_rip)
        snprintf(rip, sizeof rip, ",\"rip\":\"0x%" PRIx64 "\"", event->rip);

    /* A slot has room for all of it unless years pass between two exits; then for this. */
    for (bool whole = true;; whole = false) {
        size = snprintf(text, TRACE_SLOT,
                        "{\"name\":\"%.56s\",\"ph\":\"X\",\"ts\":%.3f,\"dur\":%.3f,\"pid\":1,"
                        "\"tid\":%u,\"args\":{\"inside_us\":%.3f%s%s}},",
                        name, (double)(event->exited - origin) / 1000,
                        (double)(event->entered - event->exited) / 1000, event->vcpu,
                        (double)event->inside / 1000, whole ? details : "", whole ? rip : "");
        if ((unsigned)size < TRACE_SLOT || !whole)
            return size;
    }
}

/* Under the lock: the page, full or not, goes to its place. */
static void write_page(struct trace *trace)
{
    uint64_t first = (trace->written - 1) / TRACE_PAGE_FULL * TRACE_PAGE_FULL;

    if (trace->written == trace->flushed)
        return;
    if (!trace->failed && !write_all(trace->fd, trace->page, TRACE_PAGE, slot_offset(first))) {
        trace->failed = true;
        warn("cannot write the trace: %s; it ends here", strerror(errno));
    }
    trace->flushed = trace->written;
    if (trace->written % TRACE_PAGE_FULL == 0)
        blank_page(trace->page, "");
}

void trace_add(struct trace *trace, const struct trace_event *event)
{
    char text[TRACE_SLOT], *slot;
    int size = trace_format(event, trace->origin, text);

    assert(size > 0 && (unsigned)size < TRACE_SLOT);
    pthread_mutex_lock(&trace->lock);
    slot = trace->page + trace->written % TRACE_PAGE_FULL * TRACE_SLOT;
    memset(slot, ' ', TRACE_SLOT);
    memcpy(slot, text, (unsigned)size);
    slot[TRACE_SLOT - 1] = '\n';
    trace->written++;
    if (trace->written % TRACE_PAGE_FULL == 0)
        write_page(trace);
    pthread_mutex_unlock(&trace->lock);
}

void trace_flush(struct trace *trace)
{
    pthread_mutex_lock(&trace->lock);
    write_page(trace);
    pthread_mutex_unlock(&trace->lock);
}

int trace_close(struct trace *trace)
{
    off_t end = slot_offset(trace->written);

    trace_flush(trace);
    if (!trace->failed && trace->written < TRACE_SLOTS) /* the end moves up to the last event */
        if (ftruncate(trace->fd, end) < 0 || !write_all(trace->fd, TRAILER, strlen(TRAILER), end))
            trace->failed = true;
    if (close(trace->fd) < 0)
        trace->failed = true;
    pthread_mutex_destroy(&trace->lock);
    return trace->failed ? -EIO : 0;
}
