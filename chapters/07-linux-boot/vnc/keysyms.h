/*
 * keysyms.h: from what a key means, which a VNC client tells, back to the key.
 */
#ifndef CHAPTER_07_VNC_KEYSYMS_H
#define CHAPTER_07_VNC_KEYSYMS_H

#include <stdint.h>

/* The key of a US keyboard, as input.h has them; 0: it has none for that. */
unsigned keysym_key(uint32_t keysym);

#endif
