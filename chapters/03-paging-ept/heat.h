/*
 * heat.h: pages that were written lately, as a picture of characters.
 *
 * Each fetch of the dirty log is a frame: what was written becomes hot, all else
 * cools. One character stands for one page; a row for as many as the terminal holds.
 */
#ifndef CHAPTER_03_HEAT_H
#define CHAPTER_03_HEAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HEAT_MAX 9u

struct heat {
    uint8_t *levels; /* one for each page, 0 to HEAT_MAX */
    uint64_t pages;
};

/* 0 or -ENOMEM. */
int heat_init(struct heat *heat, uint64_t pages);
void heat_free(struct heat *heat);

/* A frame: pages whose bit is set become hottest, the others cool by one. */
void heat_frame(struct heat *heat, const uint64_t *bitmap);

/* Pages [first, first + count), columns in a row; with colour, as a terminal can. */
void heat_print(FILE *out, const struct heat *heat, uint64_t first, uint64_t count,
                unsigned columns, bool colour);

#endif
