/*
 * ps2_mouse.c: the mouse. Open at hand: [PS2-TRM], "Auxiliary Device".
 *
 *   person --> [ motions, merged ] --when fetched--> [ packet ] --> controller
 *
 * A packet is made when the controller asks for its first byte, out of all that has
 * moved since the last one. So a guest that reads slowly sees longer steps, and a guest
 * that does not read costs nothing. Only a change of buttons starts a new entry: a click
 * must not vanish between two packets.
 *
 * Left out on purpose: the half second that a reset takes, and the sample rate as a
 * limit: it is kept and reported, but packets come as fast as they are fetched. The
 * resolution, too, is only kept: a terminal has no millimetres.
 */
#include "04-devices/ps2_mouse.h"

#include <stdlib.h>

#include "common/bits.h"

#define DEFAULT_RATE       100u
#define DEFAULT_RESOLUTION 2u /* 4 counts a millimetre */
#define MOVEMENT_MAX       255
#define WHEEL_MAX          7
#define FAR                1000000 /* counts; nobody moves a mouse so far at once */

static int clamp(int value, int limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

static struct pointer_motion *mouse_motion(struct ps2_mouse *mouse, unsigned index)
{
    return &mouse->motions[(mouse->head + index) % PS2_MOTIONS_QUEUED];
}

/* Scaling 2:1 stretches fast movements. ["Set Scaling 2:1 (Hex E7)"] */
static int scaled(int counts)
{
    static const int stretched[] = {0, 1, 1, 3, 6, 9};
    int size = abs(counts);

    size = size < (int)ARRAY_SIZE(stretched) ? stretched[size] : 2 * size;
    return counts < 0 ? -size : size;
}

/*
 * The next packet, with as much of the oldest motion as fits. Movement has nine bits,
 * two's complement; the sign is in the first byte.
 */
static void mouse_make_packet(struct ps2_mouse *mouse, bool stretch)
{
    struct pointer_motion none = {.buttons = mouse->buttons};
    struct pointer_motion *from = mouse->count ? mouse_motion(mouse, 0) : &none;
    int right = clamp(from->right, MOVEMENT_MAX);
    int up = clamp(-from->down, MOVEMENT_MAX);
    int wheel = clamp(from->wheel, WHEEL_MAX);
    uint8_t first = PS2_PACKET_ALWAYS | (uint8_t)(from->buttons & 0x07);

    from->right -= right;
    from->down += up;
    from->wheel -= wheel;
    if (mouse->count && !from->right && !from->down && !from->wheel) {
        mouse->head = (mouse->head + 1) % PS2_MOTIONS_QUEUED;
        mouse->count--;
    }
    if (stretch) {
        right = clamp(scaled(right), MOVEMENT_MAX);
        up = clamp(scaled(up), MOVEMENT_MAX);
    }
    first |= (right < 0 ? PS2_PACKET_X_SIGN : 0) | (up < 0 ? PS2_PACKET_Y_SIGN : 0);
    ps2_reply_start(&mouse->packet, first);
    ps2_reply_add(&mouse->packet, (uint8_t)right);
    ps2_reply_add(&mouse->packet, (uint8_t)up);
    if (mouse->id == PS2_MOUSE_WHEEL)
        ps2_reply_add(&mouse->packet, (uint8_t)wheel);
}

static bool mouse_streams(const struct ps2_mouse *mouse)
{
    return (mouse->status & (PS2_MOUSE_IS_ENABLED | PS2_MOUSE_IS_REMOTE)) == PS2_MOUSE_IS_ENABLED &&
           !mouse->wrap;
}

void ps2_mouse_move(struct ps2_mouse *mouse, struct pointer_motion motion)
{
    struct pointer_motion *last = mouse->count ? mouse_motion(mouse, mouse->count - 1) : NULL;
    bool clicked = motion.buttons != mouse->buttons;

    mouse->buttons = motion.buttons;
    if (!last || (clicked && mouse->count < PS2_MOTIONS_QUEUED)) {
        last = mouse_motion(mouse, mouse->count++);
        *last = (struct pointer_motion){0};
    }
    last->right = clamp(last->right + clamp(motion.right, FAR), FAR);
    last->down = clamp(last->down + clamp(motion.down, FAR), FAR);
    last->wheel = clamp(last->wheel + clamp(motion.wheel, FAR), FAR);
    last->buttons = motion.buttons;
    if (mouse_streams(mouse))
        mouse->socket.ready(mouse->socket.self);
    else if (!(mouse->status & PS2_MOUSE_IS_REMOTE))
        mouse->count = 0; /* nobody listens: that movement is gone */
}

/* Silence: what moved before counts no more. */
static void mouse_clear(struct ps2_mouse *mouse)
{
    mouse->count = 0;
    mouse->packet = (struct ps2_reply){.count = 0};
}

static void mouse_defaults(struct ps2_mouse *mouse)
{
    mouse_clear(mouse);
    mouse->status = 0;
    mouse->rate = DEFAULT_RATE;
    mouse->resolution = DEFAULT_RESOLUTION;
}

static void mouse_set_rate(struct ps2_mouse *mouse, uint8_t rate)
{
    if (mouse->knocks[0] == 200 && mouse->knocks[1] == 100 && rate == 80)
        mouse->id = PS2_MOUSE_WHEEL;
    mouse->knocks[0] = mouse->knocks[1];
    mouse->knocks[1] = rate;
    mouse->rate = rate;
}

/* The status has its buttons the other way round than the packet. */
static void mouse_reply_status(struct ps2_mouse *mouse)
{
    unsigned buttons = mouse->buttons;

    ps2_reply_add(&mouse->reply, mouse->status | (buttons & POINTER_LEFT ? 4 : 0) |
                                     (buttons & POINTER_MIDDLE ? 2 : 0) |
                                     (buttons & POINTER_RIGHT ? 1 : 0));
    ps2_reply_add(&mouse->reply, mouse->resolution);
    ps2_reply_add(&mouse->reply, mouse->rate);
}

/* "Read data" answers with a packet, whether anything moved or not, and unstretched. */
static void mouse_reply_packet(struct ps2_mouse *mouse)
{
    uint8_t byte;

    mouse_make_packet(mouse, false);
    while (ps2_reply_fetch(&mouse->packet, &byte))
        ps2_reply_add(&mouse->reply, byte);
}

static void mouse_reset(struct ps2_mouse *mouse)
{
    mouse_defaults(mouse);
    mouse->id = PS2_MOUSE_STANDARD;
    mouse->knocks[0] = mouse->knocks[1] = 0;
    mouse->wrap = false;
    ps2_reply_add(&mouse->reply, PS2_BAT_OK);
    ps2_reply_add(&mouse->reply, mouse->id);
}

static void mouse_command(struct ps2_mouse *mouse, uint8_t command)
{
    ps2_reply_start(&mouse->reply, PS2_ACK);
    mouse->packet.count = mouse->packet.next = 0; /* the rest of a packet is not sent */
    switch (command) {
    case PS2_MOUSE_SCALE_1_1: mouse->status &= ~PS2_MOUSE_IS_SCALED; break;
    case PS2_MOUSE_SCALE_2_1: mouse->status |= PS2_MOUSE_IS_SCALED; break;
    case PS2_MOUSE_RESOLUTION:
    case PS2_MOUSE_RATE: mouse->command = command; break;
    case PS2_MOUSE_STATUS: mouse_reply_status(mouse); break;
    case PS2_MOUSE_STREAM:
        mouse_clear(mouse);
        mouse->status &= ~PS2_MOUSE_IS_REMOTE;
        break;
    case PS2_MOUSE_READ: mouse_reply_packet(mouse); break;
    case PS2_MOUSE_UNWRAP: break;
    case PS2_MOUSE_WRAP:
        mouse_clear(mouse);
        mouse->wrap = true;
        break;
    case PS2_MOUSE_REMOTE:
        mouse_clear(mouse);
        mouse->status |= PS2_MOUSE_IS_REMOTE;
        break;
    case PS2_MOUSE_IDENTIFY: ps2_reply_add(&mouse->reply, mouse->id); break;
    case PS2_MOUSE_ENABLE:
        mouse_clear(mouse);
        mouse->status |= PS2_MOUSE_IS_ENABLED;
        break;
    case PS2_MOUSE_DISABLE:
        mouse_clear(mouse);
        mouse->status &= ~PS2_MOUSE_IS_ENABLED;
        break;
    case PS2_MOUSE_DEFAULT: mouse_defaults(mouse); break;
    case PS2_RESEND: ps2_reply_start(&mouse->reply, mouse->last); break;
    case PS2_RESET: mouse_reset(mouse); break;
    default: ps2_reply_start(&mouse->reply, PS2_RESEND); break;
    }
}

/* In wrap mode it is an echo, but for the two commands that end it. */
static bool mouse_wraps(struct ps2_mouse *mouse, uint8_t byte)
{
    if (!mouse->wrap || byte == PS2_RESET)
        return false;
    if (byte == PS2_MOUSE_UNWRAP) {
        mouse->wrap = false;
        return false;
    }
    ps2_reply_start(&mouse->reply, byte);
    return true;
}

static void mouse_send(void *self, uint8_t byte)
{
    struct ps2_mouse *mouse = self;
    uint8_t command = mouse->command;

    mouse->command = 0;
    if (mouse_wraps(mouse, byte)) {
        /* answered */
    } else if (command && byte < PS2_MOUSE_SCALE_1_1) {
        ps2_reply_start(&mouse->reply, PS2_ACK);
        if (command == PS2_MOUSE_RATE)
            mouse_set_rate(mouse, byte);
        else
            mouse->resolution = byte & 3;
    } else {
        mouse_command(mouse, byte);
    }
    mouse->socket.ready(mouse->socket.self);
}

static bool mouse_fetch(void *self, uint8_t *byte)
{
    struct ps2_mouse *mouse = self;

    if (!ps2_reply_fetch(&mouse->reply, byte) && !ps2_reply_fetch(&mouse->packet, byte)) {
        if (!mouse_streams(mouse) || mouse->count == 0)
            return false;
        mouse_make_packet(mouse, mouse->status & PS2_MOUSE_IS_SCALED);
        ps2_reply_fetch(&mouse->packet, byte);
    }
    mouse->last = *byte;
    return true;
}

static void mouse_sink_move(void *self, struct pointer_motion motion)
{
    ps2_mouse_move(self, motion);
}

struct pointer_sink ps2_mouse_pointer(struct ps2_mouse *mouse)
{
    return (struct pointer_sink){.move = mouse_sink_move, .self = mouse};
}

struct ps2_device ps2_mouse_device(struct ps2_mouse *mouse)
{
    return (struct ps2_device){.send = mouse_send, .fetch = mouse_fetch, .self = mouse};
}

void ps2_mouse_init(struct ps2_mouse *mouse, struct ps2_socket socket)
{
    *mouse = (struct ps2_mouse){.socket = socket, .id = PS2_MOUSE_STANDARD};
    mouse_defaults(mouse);
}
