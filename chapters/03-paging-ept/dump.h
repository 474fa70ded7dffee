/*
 * dump.h: one address in both dimensions, level by level, for eyes and for programs.
 */
#ifndef CHAPTER_03_DUMP_H
#define CHAPTER_03_DUMP_H

#include <stdio.h>

#include "03-paging-ept/slots.h"
#include "03-paging-ept/walk.h"

/* A table of the walk: each entry read, and where its place lies in the host. */
void dump_walk_text(FILE *out, const struct slot_map *slots, const struct paging *paging,
                    uint64_t linear, unsigned access);

/* The same as one JSON object, numbers as strings in hexadecimal ("0x..."). */
void dump_walk_json(FILE *out, const struct slot_map *slots, const struct paging *paging,
                    uint64_t linear, unsigned access);

#endif
