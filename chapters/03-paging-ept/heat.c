/* heat.c: see heat.h. The colours are those of the 256-colour palette's cube. */
#include "03-paging-ept/heat.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/bits.h"

int heat_init(struct heat *heat, uint64_t pages)
{
    *heat = (struct heat){.levels = calloc(pages, 1), .pages = pages};
    return heat->levels ? 0 : -ENOMEM;
}

void heat_free(struct heat *heat)
{
    free(heat->levels);
    *heat = (struct heat){0};
}

void heat_frame(struct heat *heat, const uint64_t *bitmap)
{
    for (uint64_t page = 0; page < heat->pages; page++) {
        if (bitmap[page / 64] & BIT(page % 64))
            heat->levels[page] = HEAT_MAX;
        else if (heat->levels[page])
            heat->levels[page]--;
    }
}

void heat_print(FILE *out, const struct heat *heat, uint64_t first, uint64_t count,
                unsigned columns, bool colour)
{
    static const char marks[HEAT_MAX + 1] = {'.', ':', '-', '=', '+', 'o', 'x', '%', '#', '@'};
    static const uint8_t colours[HEAT_MAX + 1] = {236, 17, 18, 54, 90, 126, 162, 197, 208, 226};

    for (uint64_t page = first; page < first + count && page < heat->pages; page++) {
        unsigned level = heat->levels[page];

        if ((page - first) % columns == 0)
            fprintf(out, "%s%8" PRIx64 "  ", page == first ? "" : "\n", page * 4096);
        if (colour)
            fprintf(out, "\x1b[38;5;%um%c\x1b[0m", colours[level], marks[level]);
        else
            fputc(marks[level], out);
    }
    fputc('\n', out);
}
