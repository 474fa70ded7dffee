/* A checksum by table: one byte after the other, each load waits for the last. */
#include <stdint.h>
#include <stdio.h>

static uint32_t table[256];
static uint8_t data[1 << 16];

int main(void)
{
    uint32_t crc = ~0u;

    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        table[i] = c;
    }
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    for (int round = 0; round < 2500; round++)
        for (unsigned i = 0; i < sizeof data; i++)
            crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    printf("%08x\n", ~crc);
}
