/*
 * input.h: what a person does with a keyboard and a mouse, before any device knows.
 *
 * A key is named by Linux's number for it, KEY_A or KEY_LEFTSHIFT, which stands for a
 * place on the keyboard and not for a letter. [linux/input-event-codes.h] Whoever
 * watches the person (a terminal, a window, a test) calls a sink; whoever is the
 * keyboard (a PS/2 one, a virtio one) is behind it.
 */
#ifndef CHAPTER_04_INPUT_H
#define CHAPTER_04_INPUT_H

#include <linux/input-event-codes.h>
#include <stdbool.h>

struct key_sink {
    void (*key)(void *self, unsigned key, bool down);
    /* Is there room for one key stroke, with Ctrl, Alt and Shift? If not, wait. */
    bool (*ready)(void *self);
    void *self;
};

#define POINTER_LEFT   0x01u
#define POINTER_RIGHT  0x02u
#define POINTER_MIDDLE 0x04u

struct pointer_motion {
    int right, down;  /* counts; about 8 to the width of a character */
    int wheel;        /* notches towards the person */
    unsigned buttons; /* those held now */
};

struct pointer_sink {
    void (*move)(void *self, struct pointer_motion motion);
    void *self;
};

#endif
