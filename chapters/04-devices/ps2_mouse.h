/*
 * ps2_mouse.h: a mouse with three buttons and a wheel on a PS/2 socket.
 *
 *     ps2_mouse_init(&mouse, i8042_socket(&controller));
 *     i8042_plug_mouse(&controller, ps2_mouse_device(&mouse));
 *     ...
 *     ps2_mouse_move(&mouse, (struct pointer_motion){.right = 5, .buttons = POINTER_LEFT});
 *
 * It reports in packets of three bytes. [PS2-TRM, "Auxiliary Device"]
 *
 *     7           6           5       4       3   2       1      0
 *     Y overflow  X overflow  Y sign  X sign  1   middle  right  left
 *     X movement, to the right
 *     Y movement, away from the person: up
 *
 * A system that sets the sample rates 200, 100 and 80 in this order gets a fourth
 * byte for the wheel and the identity 3: a knock that old mice do not notice, invented
 * with the IntelliMouse. [PS2-MOUSE, "Intellimouse Extensions"]
 */
#ifndef CHAPTER_04_PS2_MOUSE_H
#define CHAPTER_04_PS2_MOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/input.h"
#include "04-devices/ps2.h"

#define PS2_MOTIONS_QUEUED 16u

/* [PS2-TRM, "Auxiliary Device", "Commands"] */
enum ps2_mouse_command {
    PS2_MOUSE_SCALE_1_1 = 0xe6,
    PS2_MOUSE_SCALE_2_1 = 0xe7,
    PS2_MOUSE_RESOLUTION = 0xe8,
    PS2_MOUSE_STATUS = 0xe9,
    PS2_MOUSE_STREAM = 0xea,
    PS2_MOUSE_READ = 0xeb,
    PS2_MOUSE_UNWRAP = 0xec,
    PS2_MOUSE_WRAP = 0xee,
    PS2_MOUSE_REMOTE = 0xf0,
    PS2_MOUSE_IDENTIFY = 0xf2,
    PS2_MOUSE_RATE = 0xf3,
    PS2_MOUSE_ENABLE = 0xf4,
    PS2_MOUSE_DISABLE = 0xf5,
    PS2_MOUSE_DEFAULT = 0xf6,
};

/* Status, first byte: these and the three buttons (left 4, middle 2, right 1). */
#define PS2_MOUSE_IS_REMOTE  0x40u
#define PS2_MOUSE_IS_ENABLED 0x20u
#define PS2_MOUSE_IS_SCALED  0x10u

/* Bits of a packet's first byte */
#define PS2_PACKET_ALWAYS     0x08u
#define PS2_PACKET_X_SIGN     0x10u
#define PS2_PACKET_Y_SIGN     0x20u
#define PS2_PACKET_X_OVERFLOW 0x40u
#define PS2_PACKET_Y_OVERFLOW 0x80u

#define PS2_MOUSE_STANDARD    0u /* identities */
#define PS2_MOUSE_WHEEL       3u

struct ps2_mouse {
    struct ps2_socket socket;
    /* What has moved and was not reported; a new entry for each change of buttons. */
    struct pointer_motion motions[PS2_MOTIONS_QUEUED];
    unsigned head, count;
    unsigned buttons; /* held now */
    struct ps2_reply reply;
    struct ps2_reply packet;
    uint8_t last;    /* byte sent, for "resend" */
    uint8_t command; /* waits for its parameter, or 0 */
    uint8_t status;  /* PS2_MOUSE_IS_... */
    uint8_t resolution, rate;
    uint8_t id;
    uint8_t knocks[2]; /* the two sample rates before this one */
    bool wrap;
};

/* Power on, test passed, silent until it is enabled. Owns nothing. */
void ps2_mouse_init(struct ps2_mouse *mouse, struct ps2_socket socket);

struct ps2_device ps2_mouse_device(struct ps2_mouse *mouse);
struct pointer_sink ps2_mouse_pointer(struct ps2_mouse *mouse);

/* Moves it, turns the wheel, changes the buttons. Any numbers will do. */
void ps2_mouse_move(struct ps2_mouse *mouse, struct pointer_motion motion);

#endif
