/*
 * stats.h: how many exits there were, why, and whose.
 *
 * One table counts by exit reason, one by device, one by the address accessed; each with
 * the time that the exits took in the VMM. All are bounded: what a guest that touches
 * every port adds beyond STATS_PLACES is counted together.
 *
 * The processor's thread counts, any thread prints; a lock of their own keeps the
 * numbers of one line together.
 */
#ifndef CHAPTER_04_STATS_H
#define CHAPTER_04_STATS_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#define STATS_REASONS 64u
#define STATS_PLACES  1024u
#define STATS_DEVICES 64u
#define STATS_SHOWN   16u

struct stats_row {
    uint64_t exits, items; /* items: each repetition of "rep outsb" is one */
    int64_t time;          /* nanoseconds from KVM_RUN's return to the next call */
};

enum stats_space { STATS_FREE, STATS_PORT, STATS_MEMORY };

struct stats_place {
    enum stats_space space; /* STATS_FREE: this entry is unused */
    uint64_t address;
    const char *device;
    struct stats_row row;
};

struct stats_device {
    const char *name;
    struct stats_row row;
};

struct stats {
    pthread_mutex_t lock;
    struct stats_row reasons[STATS_REASONS + 1]; /* the last one: all higher numbers */
    struct stats_place places[STATS_PLACES];     /* a hash table, open addressing */
    unsigned place_count;
    struct stats_device devices[STATS_DEVICES];
    unsigned device_count;
    struct stats_row other_places;
    int64_t inside; /* nanoseconds in KVM_RUN */
};

void stats_init(struct stats *stats);
void stats_free(struct stats *stats);

/* An exit, its time in the VMM, and the time in KVM_RUN before it. */
void stats_exit(struct stats *stats, uint32_t reason, int64_t time, int64_t inside);

/* The access that an exit was, of count items. device is not copied. */
void stats_access(struct stats *stats, enum stats_space space, uint64_t address, const char *device,
                  unsigned count, int64_t time);

/* Totals, reasons, devices, and the STATS_SHOWN busiest places; line ends as given. */
void stats_print(struct stats *stats, FILE *out, const char *end);

#endif
