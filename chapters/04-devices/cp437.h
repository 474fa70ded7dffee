/*
 * cp437.h: the characters of the IBM PC, for a terminal that speaks UTF-8.
 *
 * The display adapter has a picture for each of the 256 codes, those below 32 too: the
 * faces, the suits of cards, lines and blocks that a generation drew its windows with.
 */
#ifndef CHAPTER_04_CP437_H
#define CHAPTER_04_CP437_H

#include <stddef.h>
#include <stdint.h>

#define CP437_UTF8_MAX 3u

/* Writes the character's one to three bytes to out and returns how many. */
size_t cp437_utf8(uint8_t code, char out[CP437_UTF8_MAX]);

#endif
