/*
 * wire.h: between the VMM and vmm-vnc, the process that shows its screen.
 *
 *     vmm      -- a page of memory that both have: struct vnc_screen -->   vmm-vnc
 *              <-- a socket of packets: struct vnc_event ---------------
 *
 * vmm-vnc reads what strangers send, so it is a program of its own, which has none of the
 * VMM's memory and descriptors; and the VMM believes no number that comes from it.
 */
#ifndef CHAPTER_07_VNC_WIRE_H
#define CHAPTER_07_VNC_WIRE_H

#include <stdatomic.h>
#include <stdint.h>

#include "04-devices/text_screen.h"

/* What vmm-vnc is started with. */
#define VNC_SOCKET_FD 3
#define VNC_SCREEN_FD 4

/* The VMM writes it. turn is odd meanwhile, and another even number afterwards. */
struct vnc_screen {
    _Atomic uint32_t turn;
    struct text_frame frame;
};

enum vnc_event_kind {
    VNC_WATCHED, /* a: is anybody there to see the screen? */
    VNC_KEY,     /* a: X's number for what the key means; b: is it down? */
    VNC_POINTER, /* a: buttons, bit 0 is the left one, 3 and 4 are the wheel; b, c: x and y */
};

struct vnc_event {
    uint32_t kind, a, b, c;
};

/* The socket's first packet: this byte alone; or why it can't be, as text. */
#define VNC_READY '+'

#endif
