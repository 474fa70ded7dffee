/*
 * debug_ports.c: see debug_ports.h. There is nothing in them to get wrong but size.
 *
 * Left out on purpose: the page registers of the DMA controller, which POST codes
 * share their port with on a PC.
 */
#include "04-devices/debug_ports.h"

#include <stdio.h>
#include <string.h>

void debug_console_init(struct debug_console *console, struct byte_sink out)
{
    *console = (struct debug_console){.out = out};
}

uint64_t debug_console_read(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)reg, (void)size;
    return DEBUG_CONSOLE_ANSWER;
}

void debug_console_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct debug_console *console = self;
    uint8_t byte = (uint8_t)value;

    (void)reg, (void)size;
    if (console->out.put(console->out.self, &byte, 1) == 0)
        console->lost++;
}

void post_init(struct post_port *post)
{
    *post = (struct post_port){.count = 0};
}

uint64_t post_read(void *self, uint64_t reg, unsigned size)
{
    const struct post_port *post = self;

    (void)reg, (void)size;
    return post->count ? post->codes[post->count - 1] : 0xff;
}

void post_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct post_port *post = self;
    uint8_t code = (uint8_t)value;

    (void)reg, (void)size;
    post->writes++;
    if (post->count > 0 && post->codes[post->count - 1] == code)
        return;
    if (post->count == POST_CODES) {
        memmove(post->codes, post->codes + 1, POST_CODES - 1);
        post->count--;
    }
    post->codes[post->count++] = code;
}

void post_text(const struct post_port *post, char text[POST_TEXT_MAX])
{
    *text = '\0';
    for (unsigned i = 0; i < post->count; i++)
        text += sprintf(text, "%s%02x", i ? " " : "", post->codes[i]);
}

void debug_exit_init(struct debug_exit *debug_exit, void (*end)(void *self, unsigned status),
                     void *self)
{
    *debug_exit = (struct debug_exit){.end = end, .self = self};
}

uint64_t debug_exit_read(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)reg, (void)size;
    return 0;
}

void debug_exit_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct debug_exit *debug_exit = self;

    (void)reg, (void)size;
    if (debug_exit->ended)
        return; /* a second processor, or the rest of a rep outs */
    debug_exit->ended = true;
    debug_exit->end(debug_exit->self, (unsigned)((value << 1 | 1) & 0xff));
}
