/* stats.c: see stats.h. */
#define _GNU_SOURCE
#include "04-devices/stats.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "01-kvm-hello/exits.h"

static void count(struct stats_row *row, unsigned items, int64_t time)
{
    row->exits++;
    row->items += items;
    row->time += time;
}

void stats_exit(struct stats *stats, uint32_t reason, int64_t time, int64_t inside)
{
    pthread_mutex_lock(&stats->lock);
    count(&stats->reasons[reason < STATS_REASONS ? reason : STATS_REASONS], 1, time);
    stats->inside += inside;
    pthread_mutex_unlock(&stats->lock);
}

/* The entry for a place, old or new; NULL: there is no room for a new one. */
static struct stats_place *find_place(struct stats *stats, enum stats_space space, uint64_t address)
{
    uint64_t hash = (address * 2 + space) * UINT64_C(0x9e3779b97f4a7c15);
    unsigned at = (unsigned)(hash >> 32) % STATS_PLACES;

    for (unsigned tries = 0; tries < STATS_PLACES; tries++, at = (at + 1) % STATS_PLACES) {
        struct stats_place *place = &stats->places[at];

        if (place->space == space && place->address == address)
            return place;
        if (place->space != STATS_FREE)
            continue;
        /* A full table would make each miss a walk through all of it. */
        if (stats->place_count == STATS_PLACES * 3 / 4)
            return NULL;
        stats->place_count++;
        *place = (struct stats_place){.space = space, .address = address};
        return place;
    }
    return NULL;
}

/* The row of a device; of the last one there is room for, if there are too many. */
static struct stats_row *find_device(struct stats *stats, const char *name)
{
    for (unsigned i = 0; i < stats->device_count; i++)
        if (stats->devices[i].name == name || strcmp(stats->devices[i].name, name) == 0)
            return &stats->devices[i].row;
    if (stats->device_count < STATS_DEVICES)
        stats->devices[stats->device_count++].name = name;
    return &stats->devices[stats->device_count - 1].row;
}

void stats_access(struct stats *stats, enum stats_space space, uint64_t address, const char *device,
                  unsigned items, int64_t time)
{
    struct stats_place *place;

    pthread_mutex_lock(&stats->lock);
    place = find_place(stats, space, address);
    if (place)
        place->device = device;
    count(place ? &place->row : &stats->other_places, items, time);
    count(find_device(stats, device), items, time);
    pthread_mutex_unlock(&stats->lock);
}

static int busier_first(const void *a, const void *b)
{
    const struct stats_place *x = a, *y = b;

    if (x->row.exits != y->row.exits)
        return x->row.exits < y->row.exits ? 1 : -1;
    return (x->address > y->address) - (x->address < y->address);
}

static void print_row(FILE *out, const struct stats_row *row)
{
    fprintf(out, "%10" PRIu64 " %10" PRIu64 " %10.0f %8.2f  ", row->exits, row->items,
            (double)row->time / 1000, (double)row->time / 1000 / (double)row->exits);
}

static void print_places(const struct stats *stats, FILE *out, const char *end)
{
    static struct stats_place sorted[STATS_PLACES];
    struct stats_row rest = stats->other_places;
    unsigned used = 0, shown;

    for (unsigned i = 0; i < STATS_PLACES; i++)
        if (stats->places[i].space != STATS_FREE)
            sorted[used++] = stats->places[i];
    qsort(sorted, used, sizeof sorted[0], busier_first);
    shown = used < STATS_SHOWN ? used : STATS_SHOWN;
    for (unsigned i = 0; i < shown; i++) {
        print_row(out, &sorted[i].row);
        fprintf(out, "%s 0x%" PRIx64 ", %s%s", sorted[i].space == STATS_PORT ? "port" : "memory",
                sorted[i].address, sorted[i].device, end);
    }
    for (unsigned i = shown; i < used; i++) {
        rest.exits += sorted[i].row.exits;
        rest.items += sorted[i].row.items;
        rest.time += sorted[i].row.time;
    }
    if (rest.exits) {
        print_row(out, &rest);
        fprintf(out, "elsewhere%s", end);
    }
}

void stats_print(struct stats *stats, FILE *out, const char *end)
{
    struct stats_row all = {0};
    int64_t asleep;

    pthread_mutex_lock(&stats->lock);
    for (unsigned i = 0; i <= STATS_REASONS; i++) {
        all.exits += stats->reasons[i].exits;
        all.time += stats->reasons[i].time;
    }
    /* A processor that halts without KVM's interrupt chips sleeps in here, and does not work. */
    asleep = stats->reasons[KVM_EXIT_HLT].time;
    fprintf(out, "%" PRIu64 " exits; %.3f ms in the VMM, %.3f ms in KVM_RUN, %.3f ms asleep%s",
            all.exits, (double)(all.time - asleep) / 1e6, (double)stats->inside / 1e6,
            (double)asleep / 1e6, end);
    fprintf(out, "     exits      items         us  us/exit%s", end);
    for (unsigned i = 0; i <= STATS_REASONS; i++) {
        if (stats->reasons[i].exits == 0)
            continue;
        print_row(out, &stats->reasons[i]);
        fprintf(out, "%s%s", exit_name(i), end);
    }
    for (unsigned i = 0; i < stats->device_count; i++) {
        print_row(out, &stats->devices[i].row);
        fprintf(out, "device \"%s\"%s", stats->devices[i].name, end);
    }
    print_places(stats, out, end);
    pthread_mutex_unlock(&stats->lock);
    fflush(out);
}

void stats_init(struct stats *stats)
{
    *stats = (struct stats){0};
    pthread_mutex_init(&stats->lock, NULL);
}

void stats_free(struct stats *stats)
{
    pthread_mutex_destroy(&stats->lock);
}
