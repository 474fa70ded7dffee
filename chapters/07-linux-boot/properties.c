/* properties.c: see properties.h. */
#include "07-linux-boot/properties.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define PAIR_MAX 4200u /* a path and its key */

/* Copies the next pair to pair, and returns what is behind it; NULL: it is too long. */
static const char *next_pair(const char *text, char pair[PAIR_MAX])
{
    size_t length = 0;

    for (; *text && (*text != ',' || text[1] == ','); text++) {
        text += *text == ',';
        if (length + 1 == PAIR_MAX)
            return NULL;
        pair[length++] = *text;
    }
    pair[length] = '\0';
    return text + (*text == ',');
}

int properties_parse(const char *text, const char *first,
                     int (*take)(void *self, const char *key, const char *value,
                                 struct refusal *why),
                     void *self, struct refusal *why)
{
    char pair[PAIR_MAX];

    for (; *text; first = NULL) {
        char *value;
        int error;

        text = next_pair(text, pair);
        if (!text)
            return refuse(why, -EINVAL, "a property is too long");
        value = strchr(pair, '=');
        if (!value && !first)
            return refuse(why, -EINVAL, "\"%.80s\" is not of the form key=value", pair);
        if (value)
            *value = '\0';
        error = take(self, value ? pair : first, value ? value + 1 : pair, why);
        if (error < 0)
            return error;
    }
    return 0;
}

int properties_choose(const char *key, const char *value, const char *yes, const char *no,
                      bool *chosen, struct refusal *why)
{
    if (strcmp(value, yes) != 0 && strcmp(value, no) != 0)
        return refuse(why, -EINVAL, "%s=%.80s: not one of %s and %s", key, value, yes, no);
    *chosen = strcmp(value, yes) == 0;
    return 0;
}
