/*
 * properties.h: how QEMU writes what a device is like: "key=value,key=value".
 *
 *     file=a,,b.img,format=raw        a comma in a value is written twice
 *     tap,ifname=tap0                 the first word may go without its key
 */
#ifndef CHAPTER_07_PROPERTIES_H
#define CHAPTER_07_PROPERTIES_H

#include <stdbool.h>

#include "common/refusal.h"

/*
 * Calls take() for each pair in order, until one fails. first is the key of a first word
 * that has none; NULL: every word needs one. 0, or the error with why->text. The strings
 * last as long as the call.
 */
int properties_parse(const char *text, const char *first,
                     int (*take)(void *self, const char *key, const char *value,
                                 struct refusal *why),
                     void *self, struct refusal *why);

/* value is one of two words: chosen says whether it is the first. 0, or -EINVAL. */
int properties_choose(const char *key, const char *value, const char *yes, const char *no,
                      bool *chosen, struct refusal *why);

#endif
