/*
 * ring_trace.c: see ring_trace.h. The one module of the chapter that prints.
 */
#include "05-virtio/ring_trace.h"

#include <inttypes.h>
#include <string.h>

/* Which of the device's queues this is. */
static unsigned number_of(const struct ring_trace *trace, const struct virtqueue *queue)
{
    unsigned i = 0;

    while (&trace->device->queues[i].ring != queue)
        i++;
    return i;
}

/* A chain holds our own addresses; people know the guest's. */
static gpa_t guest_address(const struct virtqueue *queue, const void *host)
{
    const struct guest_memory *memory = queue->memory;

    for (unsigned i = 0; i < memory->count; i++) {
        uintptr_t offset = (uintptr_t)host - (uintptr_t)memory->regions[i].host;

        if (offset < memory->regions[i].size)
            return memory->regions[i].start + offset;
    }
    return 0;
}

static bool may_tell(struct ring_trace *trace)
{
    if (trace->told == RING_TRACE_MAX) {
        trace->told++;
        fprintf(trace->out, "%s: no more than %u events are traced\n", trace->name, RING_TRACE_MAX);
    }
    if (trace->told > RING_TRACE_MAX)
        return false;
    trace->told++;
    return true;
}

static unsigned place_of(const struct virtqueue *queue, uint16_t next, unsigned back)
{
    return (next + queue->size - back % queue->size) % queue->size;
}

static void tell_pieces(const struct ring_trace *trace, const struct virtqueue *queue,
                        const struct chain *chain)
{
    for (unsigned i = 0; i < chain->readable + chain->writable; i++) {
        gpa_t address = guest_address(queue, chain->iov[i].iov_base);
        const char *use = i < chain->readable ? "read" : "write";

        if (trace->form == RING_TRACE_JSON)
            fprintf(trace->out, "%s{\"address\":%" PRIu64 ",\"length\":%zu,\"device\":\"%ss\"}",
                    i ? "," : "", address, chain->iov[i].iov_len, use);
        else
            fprintf(trace->out, "%20s 0x%08" PRIx64 " %7zu bytes to %s\n", "", address,
                    chain->iov[i].iov_len, use);
    }
}

static void popped(void *self, const struct virtqueue *queue, const struct chain *chain)
{
    struct ring_trace *trace = self;
    unsigned number = number_of(trace, queue);
    unsigned place = place_of(queue, queue->next_pop, queue->is_packed ? chain->slots : 1);

    if (!may_tell(trace))
        return;
    if (trace->form == RING_TRACE_TEXT) {
        fprintf(trace->out, "%s %u takes %*s id %u, place %u\n", trace->name, number,
                (int)(10 - strlen(trace->name)), "", chain->id, place);
        tell_pieces(trace, queue, chain);
        return;
    }
    fprintf(trace->out,
            "{\"ring\":\"%s\",\"queue\":%u,\"event\":\"takes\",\"id\":%u,\"place\":%u,"
            "\"pieces\":[",
            trace->name, number, chain->id, place);
    tell_pieces(trace, queue, chain);
    fprintf(trace->out, "]}\n");
}

static void pushed(void *self, const struct virtqueue *queue, const struct chain *chain,
                   uint32_t written)
{
    struct ring_trace *trace = self;
    unsigned number = number_of(trace, queue);
    unsigned place = place_of(queue, queue->next_push, queue->is_packed ? chain->slots : 1);

    if (!may_tell(trace))
        return;
    if (trace->form == RING_TRACE_TEXT)
        fprintf(trace->out, "%s %u gives %*s id %u, place %u, %u bytes written\n", trace->name,
                number, (int)(10 - strlen(trace->name)), "", chain->id, place, written);
    else
        fprintf(trace->out,
                "{\"ring\":\"%s\",\"queue\":%u,\"event\":\"gives\",\"id\":%u,\"place\":%u,"
                "\"written\":%u}\n",
                trace->name, number, chain->id, place, written);
}

static void flushed(void *self, const struct virtqueue *queue, bool interrupt)
{
    struct ring_trace *trace = self;
    unsigned number = number_of(trace, queue);

    if (!may_tell(trace))
        return;
    if (trace->form == RING_TRACE_TEXT)
        fprintf(trace->out, "%s %u shows %*s used %s %u, %s\n", trace->name, number,
                (int)(10 - strlen(trace->name)), "", queue->is_packed ? "place" : "index",
                queue->next_push, interrupt ? "interrupt" : "no interrupt");
    else
        fprintf(trace->out,
                "{\"ring\":\"%s\",\"queue\":%u,\"event\":\"shows\",\"used\":%u,"
                "\"interrupt\":%s}\n",
                trace->name, number, queue->next_push, interrupt ? "true" : "false");
}

void ring_trace_init(struct ring_trace *trace, FILE *out, enum ring_trace_form form,
                     const char *name, struct virtio_device *device)
{
    *trace = (struct ring_trace){
        .out = out,
        .form = form,
        .name = name,
        .device = device,
        .watch = {popped, pushed, flushed, trace},
    };
    for (unsigned i = 0; i < device->queue_count; i++)
        device->queues[i].ring.watch = &trace->watch;
}
