/*
 * trace.h: every exit of the guest as a line that Perfetto and Chrome can draw.
 *
 * The file is JSON in Chrome's trace event format, in its object form: an array of
 * events, each a "complete" one ("ph": "X") with a beginning and a duration in
 * microseconds. [TRACE, "JSON Object Format", "Complete Events"] A slice is the time
 * that one exit kept us from the guest; the gap before it is the time inside KVM_RUN.
 * Open it at https://ui.perfetto.dev or chrome://tracing.
 *
 * The file is bounded, and it is JSON at every moment, even if we are killed. It is a
 * ring of slots of equal size, first all blank, which JSON allows between its tokens:
 *
 *     {"traceEvents":[            one page
 *     {"name":"out 0x3f8 ...},    slot 0, blanks up to its size
 *     {"name":"in 0x3fd ...},     slot 1
 *                                 ... slots never used
 *     {"name":"process_name"...}]}
 *
 * When the last slot is full the first is written over, so that the file holds the last
 * TRACE_SLOTS exits (less fifteen at most): the end of the story, which matters when a
 * guest hangs. Viewers sort by time. A page of sixteen slots is one pwrite(), which a
 * SIGKILL cannot cut in two. trace_close() cuts the slots off that were never used.
 */
#ifndef CHAPTER_04_TRACE_H
#define CHAPTER_04_TRACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/refusal.h"

#define TRACE_SLOT      256u
#define TRACE_PAGE      4096u
#define TRACE_SLOTS     (1u << 16) /* 16 MiB */
#define TRACE_PAGE_FULL (TRACE_PAGE / TRACE_SLOT)

/* What one exit was. Strings are ours: no quotes, no backslashes. */
struct trace_event {
    int64_t exited, entered; /* nanoseconds: back from KVM_RUN; about to call it again */
    int64_t inside;          /* how long KVM_RUN had taken */
    const char *reason;      /* "KVM_EXIT_IO" */
    const char *verb;        /* "in", "out", "read", "write"; NULL: no access, name it by reason */
    const char *device;
    uint64_t address;
    unsigned size, count;
    uint64_t data; /* the first item */
    uint64_t rip;
    bool has_rip;
    unsigned vcpu;
};

struct trace {
    pthread_mutex_t lock; /* processors add, an alarm flushes */
    int fd;
    int64_t origin;   /* the moment that is 0 in the file */
    uint64_t written; /* events, in all */
    uint64_t flushed; /* of them in the file */
    bool failed;      /* the disk is full, say: nothing more is written */
    char page[TRACE_PAGE];
};

/* A descriptor for a file to be traced into, or -errno with why->text. */
int trace_create(const char *path, struct refusal *why);

/*
 * Brings the file to its full size. 0, or -errno with why->text. fd is taken over in either
 * case; origin is now, in nanoseconds.
 */
int trace_open(struct trace *trace, int fd, int64_t origin, struct refusal *why);

/* Adds an event. From any thread. */
void trace_add(struct trace *trace, const struct trace_event *event);

/* Writes what waits, at most fifteen events. From any thread. */
void trace_flush(struct trace *trace);

/* Flushes, cuts, closes. 0, or -errno of the first write that failed. */
int trace_close(struct trace *trace);

/* The event as one element of the array, with the comma: size as snprintf() counts. */
int trace_format(const struct trace_event *event, int64_t origin, char text[TRACE_SLOT]);

#endif
