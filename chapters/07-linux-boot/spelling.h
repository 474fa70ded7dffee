/*
 * spelling.h: "did you mean ...?": which known word a mistyped one was meant to be.
 *
 *     struct spelling spelling = spelling_of("virtio-blk-cpi");
 *     for each known word: spelling_offer(&spelling, word);
 *     if (spelling.best) ...
 */
#ifndef CHAPTER_07_SPELLING_H
#define CHAPTER_07_SPELLING_H

struct spelling {
    const char *word;
    const char *best;  /* of those offered; NULL: none is like it */
    unsigned distance; /* more than that is not like it */
};

/* One wrong letter in three is the most that counts as alike. */
struct spelling spelling_of(const char *word);
void spelling_offer(struct spelling *spelling, const char *known);

#endif
