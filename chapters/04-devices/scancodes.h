/*
 * scancodes.h: which codes a key sends.
 *
 * A PC has had three codes for its keys. Set 1 is the PC's own of 1981: a byte for each
 * key, bit 7 for "released". Set 2 came with the AT: other numbers, and 0xf0 before the
 * number for "released". Keys that were added later send 0xe0 first, in both. Set 3, of
 * terminals, gives each key a number of its own. Keyboards speak set 2, software wants
 * set 1, and the controller between them translates, byte by byte.
 * [PS2-TRM, "Keyboard (101- and 102-Key)", "Scan Codes"]
 */
#ifndef CHAPTER_04_SCANCODES_H
#define CHAPTER_04_SCANCODES_H

#include <stdbool.h>
#include <stdint.h>

#define SCANCODE_BREAK    0xf0u /* sets 2 and 3: the next code is of a key released */
#define SCANCODE_EXTENDED 0xe0u
#define SCANCODE_UP       0x80u /* set 1: bit 7 of a key released */

struct scancode {
    uint8_t set2;
    uint8_t set3;
    bool extended; /* sets 1 and 2 put SCANCODE_EXTENDED in front */
};

/* The codes of a key (KEY_A, ... as in input.h). False: no such key on a keyboard. */
bool scancode_of(unsigned key, struct scancode *code);

/* The controller's table: a byte of set 2, not SCANCODE_BREAK, in set 1. */
uint8_t scancode_translate(uint8_t set2);

#endif
