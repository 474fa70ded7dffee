/* spelling.c: see spelling.h. */
#include "07-linux-boot/spelling.h"

#include <string.h>

#define KNOWN_MAX 48u /* letters of a word that is compared; ours are shorter */

/* How many letters must be changed, added or removed to turn a into b. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[KNOWN_MAX + 1];
    size_t width = strnlen(b, KNOWN_MAX);

    for (unsigned i = 0; i <= width; i++)
        row[i] = i;
    for (; *a; a++) {
        unsigned diagonal = row[0]++;

        for (size_t i = 1; i <= width; i++) {
            unsigned change = diagonal + (*a != b[i - 1]);
            unsigned least = 1 + (row[i] < row[i - 1] ? row[i] : row[i - 1]);

            diagonal = row[i];
            row[i] = change < least ? change : least;
        }
    }
    return row[width];
}

struct spelling spelling_of(const char *word)
{
    return (struct spelling){.word = word, .distance = (unsigned)strlen(word) / 3 + 1};
}

void spelling_offer(struct spelling *spelling, const char *known)
{
    unsigned distance = edit_distance(spelling->word, known);

    if (distance >= spelling->distance)
        return;
    spelling->best = known;
    spelling->distance = distance;
}
