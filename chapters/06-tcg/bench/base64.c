/* Base64 there and back: bytes, shifts, tables. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t data[30000], back[30000], value[256];
static char text[40001];

int main(void)
{
    unsigned sum = 0;

    for (int i = 0; i < 64; i++)
        value[(uint8_t)digits[i]] = (uint8_t)i;
    for (unsigned round = 0; round < 9000; round++) {
        char *to = text;
        uint8_t *undo = back;

        data[round % 9999] = (uint8_t)round;
        for (unsigned i = 0; i < sizeof data; i += 3) {
            uint32_t w = (uint32_t)data[i] << 16 | data[i + 1] << 8 | data[i + 2];

            *to++ = digits[w >> 18];
            *to++ = digits[w >> 12 & 63];
            *to++ = digits[w >> 6 & 63];
            *to++ = digits[w & 63];
        }
        for (const uint8_t *at = (uint8_t *)text; at < (uint8_t *)to; at += 4) {
            uint32_t w = (uint32_t)value[at[0]] << 18 | value[at[1]] << 12 | value[at[2]] << 6 |
                         value[at[3]];

            *undo++ = (uint8_t)(w >> 16);
            *undo++ = (uint8_t)(w >> 8);
            *undo++ = (uint8_t)w;
        }
        sum += (unsigned)!memcmp(data, back, sizeof data) + (unsigned)text[round % 9999];
    }
    printf("%u\n", sum);
}
