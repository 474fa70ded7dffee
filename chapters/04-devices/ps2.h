/*
 * ps2.h: the socket between the keyboard controller and what is plugged into it.
 *
 * Two wires, clock and data, run both ways, a byte at a time. The device may speak
 * when the controller lets the clock line rise; holding it down makes the device wait,
 * and keep its bytes. So bytes are pulled, never pushed: the device says that it has
 * something, and the controller fetches it when its own buffer is free. Whatever the
 * guest does, nothing piles up anywhere but in the device's own short queue.
 *
 *     guest  <-->  i8042  --send()----------------->  keyboard or mouse
 *                         --fetch()---------------->
 *                         <----------------ready()--
 */
#ifndef CHAPTER_04_PS2_H
#define CHAPTER_04_PS2_H

#include <stdbool.h>
#include <stdint.h>

/* The device, as the controller sees it. */
struct ps2_device {
    void (*send)(void *self, uint8_t byte);   /* NULL: the socket is empty */
    bool (*fetch)(void *self, uint8_t *byte); /* the next byte; false: none waits */
    void *self;
};

/* The controller, as a device sees it. */
struct ps2_socket {
    void (*ready)(void *self); /* "I have a byte": fetch() it now or later */
    void *self;
};

/* What all devices say. [PS2-TRM, "Keyboard (101- and 102-Key)", "Commands to the System"] */
#define PS2_ACK    0xfau
#define PS2_RESEND 0xfeu /* from the device: I did not understand. To it: say it again */
#define PS2_BAT_OK 0xaau /* the basic assurance test has passed */
#define PS2_RESET  0xffu /* to the device */

/*
 * The answer to a command, at most five bytes, which goes out before anything else. A
 * new command drops what is left of the last answer, so it cannot grow.
 */
struct ps2_reply {
    uint8_t bytes[5];
    uint8_t next, count;
};

static inline void ps2_reply_start(struct ps2_reply *reply, uint8_t byte)
{
    *reply = (struct ps2_reply){.bytes = {byte}, .count = 1};
}

static inline void ps2_reply_add(struct ps2_reply *reply, uint8_t byte)
{
    if (reply->count < sizeof reply->bytes)
        reply->bytes[reply->count++] = byte;
}

static inline bool ps2_reply_fetch(struct ps2_reply *reply, uint8_t *byte)
{
    if (reply->next == reply->count)
        return false;
    *byte = reply->bytes[reply->next++];
    return true;
}

#endif
