/*
 * properties.h: how QEMU writes what a thing is like: "key=value,key=value".
 *
 *     file=a,,b.img,format=raw        a comma in a value is written twice
 *     tap,ifname=tap0                 the first word may go without its key
 *     socket,server,nowait            as may a switch: server=on,wait=off
 *
 * What may be said of a thing is a table, a row for each property: its name, the function
 * that takes its value, and the field of the thing's struct where it goes.
 *
 *     static const struct property rows[] = {
 *         {"file", property_text, AT(struct drive, file), .form = "IMAGE"},
 *         {"readonly", property_switch, AT(struct drive, read_only), .form = "on|off"},
 *         {0},
 *     };
 *     properties_read(&given, "file=a.img,readonly=on", NULL, &why);
 *     properties_apply(&given, rows, &drive, &why);
 *     properties_free(&given);
 */
#ifndef CHAPTER_07_PROPERTIES_H
#define CHAPTER_07_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/refusal.h"

#define PROPERTIES_MAX 32u

struct property_pair {
    const char *key;
    const char *value; /* NULL: a word alone */
};

struct properties {
    struct property_pair pairs[PROPERTIES_MAX];
    unsigned count;
    char *text; /* owned: what the pairs point into */
};

/* Cuts text into pairs. first is the key of a first word that has none, or NULL. */
int properties_read(struct properties *p, const char *text, const char *first, struct refusal *why);
void properties_free(struct properties *p);

/* One pair more; key and value must last as long as p. */
int properties_add(struct properties *p, const char *key, const char *value, struct refusal *why);

/* The value of key, or NULL; properties_remove() takes the pair out as well. */
const char *properties_value(const struct properties *p, const char *key);
const char *properties_remove(struct properties *p, const char *key);

struct property {
    const char *name; /* NULL ends a table */
    int (*take)(const struct property *row, void *field, const char *value, struct refusal *why);
    size_t offset, size; /* of the field */
    const char *form;    /* what help writes behind "name=" */
    uint64_t min, max;   /* property_number */
    bool repeats;        /* may be given more than once */
};

/* Where a value goes: offset and size. */
#define AT(type, field) offsetof(type, field), sizeof(((type *)0)->field)

/* char[]: as many letters as fit, and a zero. */
int property_text(const struct property *row, void *field, const char *value, struct refusal *why);
/* bool: on or off. */
int property_switch(const struct property *row, void *field, const char *value,
                    struct refusal *why);
/* unsigned: min to max. */
int property_number(const struct property *row, void *field, const char *value,
                    struct refusal *why);
/* unsigned: which of the form's words ("raw|qcow2") it is: 1 the first, 2 ... (0: not given). */
int property_word(const struct property *row, void *field, const char *value, struct refusal *why);
/* char[]: the name of a thing: a letter, then letters, digits, '-', '.', '_'. */
int property_id(const struct property *row, void *field, const char *value, struct refusal *why);

/*
 * Puts every value where its row says. 0, or -errno with why->text: a property that is not
 * in the table (with the nearest that is), given twice, or with a value it cannot have.
 */
int properties_apply(const struct properties *p, const struct property *rows, void *self,
                     struct refusal *why);

/* "  name=form" of each row, a line each. */
void properties_print(FILE *out, const struct property *rows);

#endif
