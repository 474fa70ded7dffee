/*
 * check.h: does a qcow2 file agree with itself?
 */
#ifndef CHAPTER_07_QCOW2_CHECK_H
#define CHAPTER_07_QCOW2_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/refusal.h"

struct qcow2_check {
    uint64_t leaks;       /* clusters counted more often than they are used */
    uint64_t corruptions; /* clusters counted too rarely, entries that make no sense */
    uint64_t data;        /* clusters of the disk that the file holds ... */
    uint64_t compressed;  /* ... and of those, packed ones */
    uint64_t clusters;    /* of the disk */
};

enum qcow2_repair { QCOW2_REPAIR_NONE, QCOW2_REPAIR_LEAKS, QCOW2_REPAIR_ALL };

/*
 * Walks every table, counts every use, and compares with the file's own counts. log,
 * if not NULL, gets one line for each disagreement, 100 at most. What repair allows is
 * corrected: counts and COPIED flags; entries that make no sense stay. Afterwards
 * *result says what was found. 0, or -errno and why->text if the file cannot be read.
 */
int qcow2_check(const char *path, enum qcow2_repair repair, FILE *log, struct qcow2_check *result,
                struct refusal *why);

#endif
