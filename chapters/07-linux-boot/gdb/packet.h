/*
 * packet.h: the frame in which gdb and a stub talk.
 *
 *     $ data # xx     data, and the sum of its bytes modulo 256 in two hex digits
 *     + -             "understood", "say that again": until both do without them
 *     0x03            between packets: stop the program
 *
 * In data, } says that the next byte has had its bit 5 turned over, for the bytes # $ } that
 * the frame needs. [GDB, E.1 "Overview"]
 *
 * No socket here: bytes go in one by one, and everything the other side sends has an answer
 * in enum packet_event, whatever it is.
 */
#ifndef CHAPTER_07_GDB_PACKET_H
#define CHAPTER_07_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The longest packet we take or send. */
#define PACKET_MAX 16384u

enum packet_event {
    PACKET_NOTHING, /* yet */
    PACKET_WHOLE,   /* data and length are one */
    PACKET_DAMAGED, /* its sum is wrong */
    PACKET_TOO_LONG,
    PACKET_AGAIN, /* "-" */
    PACKET_INTERRUPT,
};

/* Start with an all-zero struct. */
struct packet_reader {
    enum { BETWEEN, INSIDE, ESCAPED, SUM_HIGH, SUM_LOW } at;
    bool too_long;
    uint8_t sum;  /* of what came */
    int expected; /* what the frame says, or negative: no number */
    size_t length;
    char data[PACKET_MAX + 1]; /* a zero follows */
};

enum packet_event packet_take(struct packet_reader *reader, uint8_t byte);

/* Writes data in a frame. */
void packet_write(FILE *out, const char *data, size_t length);

/* ---- words in a packet ---- */

/* The digit's value, or -1. */
int hex_digit(char c);

/*
 * A number in 1 to 16 hex digits, past which *at is moved. False: there is none, or it is
 * longer.
 */
bool hex_number(const char **at, uint64_t *value);

/* count bytes in twice as many digits; false and nothing moved if there are not as many. */
bool hex_bytes(const char **at, uint8_t *bytes, size_t count);

void hex_write(FILE *out, const uint8_t *bytes, size_t count);

#endif
