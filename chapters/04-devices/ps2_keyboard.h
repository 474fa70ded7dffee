/*
 * ps2_keyboard.h: a keyboard with 104 keys on a PS/2 socket.
 *
 *     ps2_keyboard_init(&keyboard, i8042_socket(&controller), clock, alarm);
 *     i8042_plug_keyboard(&controller, ps2_keyboard_device(&keyboard));
 *     ...
 *     ps2_keyboard_key(&keyboard, KEY_A, true);     a person presses A
 *     ps2_keyboard_key(&keyboard, KEY_A, false);    and lets go
 *
 * On the wire it speaks scan code set 2, as they all do; the controller translates to
 * set 1 unless it is told not to. A system can choose sets 1 and 3 as well, the delay
 * and rate of repetition, and the lights, and may test, identify and silence it.
 *
 * Keys that the guest does not fetch wait in a queue of sixteen bytes. What does not
 * fit is lost, and the guest finds the code for "overrun" in its place. A host that
 * can wait asks ps2_keyboard_ready() first, and is told by room() when it may go on.
 */
#ifndef CHAPTER_04_PS2_KEYBOARD_H
#define CHAPTER_04_PS2_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/clock.h"
#include "04-devices/input.h"
#include "04-devices/ps2.h"

#define PS2_KEYS_QUEUED 16u /* bytes; one stroke with all modifiers takes at most 14 */

/* [PS2-TRM, "Keyboard (101- and 102-Key)", "Commands from the System"] */
enum ps2_keyboard_command {
    PS2_KBD_LEDS = 0xed,
    PS2_KBD_ECHO = 0xee,
    PS2_KBD_SET = 0xf0,
    PS2_KBD_IDENTIFY = 0xf2,
    PS2_KBD_TYPEMATIC = 0xf3,
    PS2_KBD_ENABLE = 0xf4,
    PS2_KBD_DISABLE = 0xf5,
    PS2_KBD_DEFAULT = 0xf6,
    PS2_KBD_ALL_TYPEMATIC = 0xf7, /* these four, and the three below, for set 3 */
    PS2_KBD_ALL_MAKE_BREAK = 0xf8,
    PS2_KBD_ALL_MAKE = 0xf9,
    PS2_KBD_ALL = 0xfa,
    PS2_KBD_KEY_TYPEMATIC = 0xfb, /* ... followed by codes of keys */
    PS2_KBD_KEY_MAKE_BREAK = 0xfc,
    PS2_KBD_KEY_MAKE = 0xfd,
};

#define PS2_LED_SCROLL 0x01u
#define PS2_LED_NUM    0x02u
#define PS2_LED_CAPS   0x04u

struct ps2_keyboard {
    struct ps2_socket socket;
    struct clock clock;
    struct alarm alarm;
    void (*room)(void *self); /* may be NULL */
    void *room_self;

    uint8_t queue[PS2_KEYS_QUEUED];
    unsigned head, count;
    bool overrun; /* something was lost; cleared when the queue is empty */
    struct ps2_reply reply;
    uint8_t last;            /* byte sent, for "resend" */
    uint8_t command;         /* waits for its parameter, or 0 */
    uint8_t set;             /* 1, 2 or 3 */
    uint8_t leds;            /* PS2_LED_... */
    uint8_t typematic;       /* delay in bits 6:5, rate in 4:0 */
    uint8_t set3_types[256]; /* by set 3 code: KEY_REPEATS, KEY_BREAKS in the .c */
    bool scanning;
    bool refused;       /* somebody asked for room in vain */
    bool ctrl, alt;     /* held: Print Screen and Pause depend on them */
    unsigned repeating; /* the key held down that repeats, or 0 */
};

/* Power on, test passed, scanning. Owns nothing. The wires are copied. */
void ps2_keyboard_init(struct ps2_keyboard *kb, struct ps2_socket socket, struct clock clock,
                       struct alarm alarm);

/*
 * room() is called within an access of the guest's, once for each time that
 * ps2_keyboard_ready() said no. It takes note, and types later, not there and then.
 */
void ps2_keyboard_on_room(struct ps2_keyboard *kb, void (*room)(void *self), void *self);

/* Its side of the socket, and of whoever watches the person. */
struct ps2_device ps2_keyboard_device(struct ps2_keyboard *kb);
struct key_sink ps2_keyboard_keys(struct ps2_keyboard *kb);

/* Presses or releases a key. Keys that the keyboard does not have are ignored. */
void ps2_keyboard_key(struct ps2_keyboard *kb, unsigned key, bool down);

/* Has everything typed been fetched, and does the guest want more? */
bool ps2_keyboard_ready(struct ps2_keyboard *kb);

/* The alarm has rung: a key held down repeats. */
void ps2_keyboard_alarm(struct ps2_keyboard *kb);

#endif
