/* memcpy() and memset(), from a few bytes to a few thousand. */
#include <stdio.h>
#include <string.h>

static unsigned char a[20000], b[20000];

int main(void)
{
    unsigned x = 1, sum = 0;

    for (int round = 0; round < 2000000; round++) {
        x = x * 1664525 + 1013904223;

        unsigned size = x >> 29 ? x >> 26 : x >> 17 & 4095;

        memset(a + (x >> 8 & 1023), round, size);
        memcpy(b + (x >> 6 & 1023), a + (x >> 10 & 1023), size);
        memmove(a + 100, a + 100 + (x >> 12 & 63), size);
        sum = sum * 31 + b[x >> 18];
    }
    printf("%u\n", sum);
}
