/*
 * sink.h: where a device's bytes go, and how little it knows about it.
 *
 * A sink takes bytes in order and says how many it took. It never waits: a full
 * sink takes 0, and whoever owns it tells the device when there is room again.
 * The device keeps what was not taken. So a terminal nobody reads slows the
 * serial port down, as a slow wire would, and never stops the virtual CPU.
 */
#ifndef CHAPTER_04_SINK_H
#define CHAPTER_04_SINK_H

#include <stddef.h>
#include <stdint.h>

struct byte_sink {
    /* Takes the first n <= count bytes and returns n. */
    size_t (*put)(void *self, const uint8_t *bytes, size_t count);
    void *self;
};

#endif
