/*
 * packet.c: see packet.h. Open at hand: [GDB, appendix E "GDB Remote Serial Protocol"].
 *
 * Left out on purpose: run-length encoding, which only a stub's answers may use.
 */
#include "07-linux-boot/gdb/packet.h"

#define INTERRUPT 0x03
#define ESCAPE    0x7d /* } */
#define TURNED    0x20

static void begin(struct packet_reader *r)
{
    r->at = INSIDE;
    r->too_long = false;
    r->sum = 0;
    r->length = 0;
}

static enum packet_event between(struct packet_reader *r, uint8_t byte)
{
    switch (byte) {
    case '$': begin(r); return PACKET_NOTHING;
    case '-': return PACKET_AGAIN;
    case INTERRUPT: return PACKET_INTERRUPT;
    default: return PACKET_NOTHING; /* "+", and noise */
    }
}

static void add(struct packet_reader *r, uint8_t byte)
{
    if (r->length == PACKET_MAX)
        r->too_long = true;
    else
        r->data[r->length++] = (char)byte;
}

static void inside(struct packet_reader *r, uint8_t byte)
{
    if (byte == '$') { /* the sender has begun anew */
        begin(r);
        return;
    }
    if (byte == '#') {
        r->at = SUM_HIGH;
        return;
    }
    r->sum = (uint8_t)(r->sum + byte);
    if (r->at == ESCAPED)
        add(r, byte ^ TURNED);
    else if (byte != ESCAPE)
        add(r, byte);
    r->at = r->at == INSIDE && byte == ESCAPE ? ESCAPED : INSIDE;
}

static enum packet_event end(struct packet_reader *r)
{
    r->at = BETWEEN;
    r->data[r->length] = '\0';
    if (r->expected != r->sum)
        return PACKET_DAMAGED;
    return r->too_long ? PACKET_TOO_LONG : PACKET_WHOLE;
}

enum packet_event packet_take(struct packet_reader *r, uint8_t byte)
{
    int digit = hex_digit((char)byte);

    switch (r->at) {
    case BETWEEN: return between(r, byte);
    case INSIDE:
    case ESCAPED: inside(r, byte); return PACKET_NOTHING;
    case SUM_HIGH:
        r->expected = digit < 0 ? -256 : digit << 4;
        r->at = SUM_LOW;
        return PACKET_NOTHING;
    case SUM_LOW: r->expected = digit < 0 ? -1 : r->expected + digit; return end(r);
    }
    return PACKET_NOTHING;
}

void packet_write(FILE *out, const char *data, size_t length)
{
    uint8_t sum = 0;

    fputc('$', out);
    for (size_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + (uint8_t)data[i]);
        fputc(data[i], out);
    }
    fprintf(out, "#%02x", sum);
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_number(const char **at, uint64_t *value)
{
    const char *c = *at;

    *value = 0;
    while (hex_digit(*c) >= 0 && c - *at <= 16)
        *value = *value << 4 | (unsigned)hex_digit(*c++);
    if (c == *at || c - *at > 16)
        return false;
    *at = c;
    return true;
}

bool hex_bytes(const char **at, uint8_t *bytes, size_t count)
{
    const char *c = *at;

    for (size_t i = 0; i < count; i++, c += 2) {
        int high = hex_digit(c[0]), low = high < 0 ? -1 : hex_digit(c[1]);

        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    *at = c;
    return true;
}

void hex_write(FILE *out, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%02x", bytes[i]);
}
