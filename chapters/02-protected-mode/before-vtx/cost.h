/*
 * cost.h: what does it cost to be stopped and started again?
 *
 * Five round trips on the computer at hand, each measured many times: medians, since the
 * mean of such a thing is the mean of the scheduler's mood.
 */
#ifndef CHAPTER_02_COST_H
#define CHAPTER_02_COST_H

#include <stddef.h>
#include <stdio.h>

/* Prints the table; where there is no KVM, the two rows that need it say so. */
void cost_print(FILE *out);

/* The middle one of count (at least 1) values, which it sorts. */
double cost_median(double *values, size_t count);

#endif
