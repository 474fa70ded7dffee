/* properties.c: see properties.h. */
#include "07-linux-boot/properties.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/spelling.h"
#include "common/die.h"

/* Ends the pair at text with a zero, undoubling its commas; the next one, or NULL. */
static char *cut_pair(char *text)
{
    char *to = text;

    for (; *text && (*text != ',' || text[1] == ','); text++) {
        text += *text == ',';
        *to++ = *text;
    }
    if (*text == '\0') {
        *to = '\0';
        return NULL;
    }
    *to = '\0';
    return text + 1;
}

int properties_add(struct properties *p, const char *key, const char *value, struct refusal *why)
{
    if (p->count == PROPERTIES_MAX)
        return refuse(why, -EINVAL, "more than %u properties", PROPERTIES_MAX);
    p->pairs[p->count++] = (struct property_pair){key, value};
    return 0;
}

int properties_read(struct properties *p, const char *text, const char *first, struct refusal *why)
{
    char *next = strdup(text);

    if (!next)
        die("no memory for the command line");
    *p = (struct properties){.text = next};
    while (next && *next) {
        char *pair = next, *value;
        int error;

        next = cut_pair(pair);
        value = strchr(pair, '=');
        if (value)
            *value++ = '\0';
        error = !value && first && p->count == 0 ? properties_add(p, first, pair, why)
                                                 : properties_add(p, pair, value, why);
        if (error < 0) {
            properties_free(p);
            return error;
        }
    }
    return 0;
}

void properties_free(struct properties *p)
{
    free(p->text);
    *p = (struct properties){.count = 0};
}

const char *properties_value(const struct properties *p, const char *key)
{
    const char *value = NULL;

    for (unsigned i = 0; i < p->count; i++)
        if (strcmp(p->pairs[i].key, key) == 0)
            value = p->pairs[i].value;
    return value;
}

const char *properties_remove(struct properties *p, const char *key)
{
    const char *value = properties_value(p, key);
    unsigned kept = 0;

    for (unsigned i = 0; i < p->count; i++)
        if (strcmp(p->pairs[i].key, key) != 0)
            p->pairs[kept++] = p->pairs[i];
    p->count = kept;
    return value;
}

int property_text(const struct property *row, void *field, const char *value, struct refusal *why)
{
    if (strlen(value) >= row->size)
        return refuse(why, -EINVAL, "%s=%.80s: longer than %zu bytes", row->name, value,
                      row->size - 1);
    strcpy(field, value);
    return 0;
}

int property_switch(const struct property *row, void *field, const char *value, struct refusal *why)
{
    bool on = strcmp(value, "on") == 0;

    if (!on && strcmp(value, "off") != 0)
        return refuse(why, -EINVAL, "%s=%.80s: not one of on and off", row->name, value);
    *(bool *)field = on;
    return 0;
}

int property_number(const struct property *row, void *field, const char *value, struct refusal *why)
{
    char *end;
    unsigned long long number = strtoull(value, &end, 10);

    if (!isdigit((unsigned char)*value) || *end || number < row->min || number > row->max)
        return refuse(why, -EINVAL, "%s=%.80s: not a number from %llu to %llu", row->name, value,
                      (unsigned long long)row->min, (unsigned long long)row->max);
    *(unsigned *)field = (unsigned)number;
    return 0;
}

int property_word(const struct property *row, void *field, const char *value, struct refusal *why)
{
    size_t length = strlen(value);
    unsigned place = 1;

    for (const char *word = row->form; word; place++) {
        if (strcspn(word, "|") == length && strncmp(word, value, length) == 0) {
            *(unsigned *)field = place;
            return 0;
        }
        word = strchr(word, '|');
        word = word ? word + 1 : NULL;
    }
    return refuse(why, -EINVAL, "%s=%.80s: not one of %s", row->name, value, row->form);
}

int property_id(const struct property *row, void *field, const char *value, struct refusal *why)
{
    if (!isalpha((unsigned char)*value))
        return refuse(why, -EINVAL, "%s=%.80s: a name begins with a letter", row->name, value);
    for (const char *c = value; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
            return refuse(why, -EINVAL, "%s=%.80s: a name has letters, digits, '-', '.' and '_'",
                          row->name, value);
    return property_text(row, field, value, why);
}

static const struct property *find(const struct property *rows, const char *name)
{
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

static int refuse_unknown(const struct property *rows, const struct property_pair *pair,
                          struct refusal *why)
{
    struct spelling spelling = spelling_of(pair->key);

    for (; rows->name; rows++)
        spelling_offer(&spelling, rows->name);
    if (spelling.best)
        return refuse(why, -EINVAL, "\"%.80s\" is no property here: did you mean %s=?", pair->key,
                      spelling.best);
    if (!pair->value)
        return refuse(why, -EINVAL, "\"%.80s\" is not of the form key=value", pair->key);
    return refuse(why, -EINVAL, "\"%.80s\" is no property here", pair->key);
}

/* A switch may be given as a word: "server" is server=on, "nowait" is wait=off. */
static const struct property *find_switch(const struct property *rows, const char *word,
                                          const char **value)
{
    const struct property *row = find(rows, word);

    *value = "on";
    if (!row && strncmp(word, "no", 2) == 0) {
        row = find(rows, word + 2);
        *value = "off";
    }
    return row && row->take == property_switch ? row : NULL;
}

int properties_apply(const struct properties *p, const struct property *rows, void *self,
                     struct refusal *why)
{
    const struct property *given[PROPERTIES_MAX];

    for (unsigned i = 0; i < p->count; i++) {
        const struct property_pair *pair = &p->pairs[i];
        const char *value = pair->value;
        const struct property *row = value ? find(rows, pair->key)
                                           : find_switch(rows, pair->key, &value);
        int error;

        if (!row)
            return refuse_unknown(rows, pair, why);
        for (unsigned j = 0; j < i; j++)
            if (given[j] == row && !row->repeats)
                return refuse(why, -EINVAL, "%s= is given twice", row->name);
        given[i] = row;
        error = row->take(row, (char *)self + row->offset, value, why);
        if (error < 0)
            return error;
    }
    return 0;
}

void properties_print(FILE *out, const struct property *rows)
{
    for (; rows->name; rows++)
        fprintf(out, "  %s=%s\n", rows->name, rows->form);
}
