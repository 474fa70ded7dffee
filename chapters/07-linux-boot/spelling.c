/* spelling.c: see spelling.h. */
#include "07-linux-boot/spelling.h"

#include <string.h>

#define KNOWN_MAX 48u /* letters of a word that is compared; ours are shorter */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/*
 * How many steps turn a into b, where a step changes, adds or removes a letter, or swaps
 * two neighbours. The rows of the table are prefixes of a, of which the last three are
 * kept; its columns are prefixes of b.
 */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][KNOWN_MAX + 1];
    unsigned *now = rows[0], *before = rows[1], *earlier = rows[2];
    size_t width = strnlen(b, KNOWN_MAX);

    for (unsigned j = 0; j <= width; j++)
        now[j] = j;
    for (size_t i = 0; a[i]; i++) {
        unsigned *spare = earlier;

        earlier = before;
        before = now;
        now = spare;
        now[0] = (unsigned)i + 1;
        for (size_t j = 0; j < width; j++) {
            now[j + 1] = least(before[j] + (a[i] != b[j]), 1 + least(now[j], before[j + 1]));
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
                now[j + 1] = least(now[j + 1], earlier[j - 1] + 1);
        }
    }
    return now[width];
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
