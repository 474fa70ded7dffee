/*
 * debug_ports.h: three ports that firmware and tests talk to when nothing else works.
 *
 *     0x402, 0xe9   a byte written is printed; reads as 0xe9, so a guest can ask
 *                   whether anybody listens. No status, no interrupt, one instruction
 *     0x80          power-on self test: firmware writes how far it has come, and on
 *                   real boards two digits of light-emitting diodes show it
 *     0xf4          a value written ends the machine, with the exit status
 *                   (value << 1) | 1, so 0 is "all went well" to nobody; a machine has
 *                   it only when asked to, for any guest can use it
 *
 * Bochs invented port 0xe9, SeaBIOS uses 0x402, QEMU calls the last one isa-debug-exit
 * and gives it the same status.
 */
#ifndef CHAPTER_04_DEBUG_PORTS_H
#define CHAPTER_04_DEBUG_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/sink.h"

#define DEBUG_CONSOLE_PORT    0xe9u  /* one port each, width 1 */
#define DEBUG_CONSOLE_SEABIOS 0x402u /* the same device at another place */
#define DEBUG_CONSOLE_ANSWER  0xe9u
#define POST_PORT             0x80u /* one port, width 1 */
#define POST_CODES            16u
#define DEBUG_EXIT_PORT       0xf4u /* four ports, width 4 */
#define DEBUG_EXIT_PORT_COUNT 4u

/* The sink takes each byte at once or never: the guest has no way to wait. */
struct debug_console {
    struct byte_sink out;
    uint64_t lost; /* bytes that the sink did not take */
};

void debug_console_init(struct debug_console *console, struct byte_sink out);
uint64_t debug_console_read(void *self, uint64_t reg, unsigned size);
void debug_console_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/*
 * The last codes, oldest first. A code written again does not count as a new one:
 * Linux writes to this port whenever it wants to wait for a microsecond.
 */
struct post_port {
    uint8_t codes[POST_CODES];
    unsigned count;
    uint64_t writes;
};

void post_init(struct post_port *post);
uint64_t post_read(void *self, uint64_t reg, unsigned size); /* the last code */
void post_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/* The codes for a person: "01 02 42", or "". */
#define POST_TEXT_MAX (POST_CODES * 3 + 1)
void post_text(const struct post_port *post, char text[POST_TEXT_MAX]);

/* end() is called once, with the exit status: 8 bits, all that a process has. */
struct debug_exit {
    void (*end)(void *self, unsigned status);
    void *self;
    bool ended;
};

void debug_exit_init(struct debug_exit *debug_exit, void (*end)(void *self, unsigned status),
                     void *self);
uint64_t debug_exit_read(void *self, uint64_t reg, unsigned size); /* 0 */
void debug_exit_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
