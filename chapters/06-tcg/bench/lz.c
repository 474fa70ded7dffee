/* Compression: find the longest earlier match by a hash, then undo it. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint8_t in[1 << 16], out[1 << 17], back[1 << 16];
static int last[4096];

static int compress(int n)
{
    int size = 0;

    memset(last, -1, sizeof last);
    for (int i = 0; i < n;) {
        unsigned hash = i + 2 < n ? (in[i] * 33u ^ in[i + 1] * 7u ^ in[i + 2] * 129u) & 4095 : 0;
        int from = last[hash], length = 0;

        last[hash] = i;
        if (from >= 0)
            while (length < 255 && i + length < n && in[from + length] == in[i + length])
                length++;
        if (length < 4) {
            out[size++] = 0;
            out[size++] = in[i++];
        } else {
            out[size++] = (uint8_t)length;
            out[size++] = (uint8_t)(i - from);
            out[size++] = (uint8_t)((i - from) >> 8);
            i += length;
        }
    }
    return size;
}

static int expand(int size)
{
    int n = 0;

    for (int i = 0; i < size;) {
        int length = out[i++];

        if (length == 0) {
            back[n++] = out[i++];
            continue;
        }
        int from = n - (out[i] | out[i + 1] << 8);

        for (i += 2; length > 0; length--)
            back[n++] = back[from++];
    }
    return n;
}

int main(void)
{
    unsigned sum = 0, x = 5;

    for (int round = 0; round < 500; round++) {
        for (unsigned i = 0; i < sizeof in; i++) {
            x = x * 1664525 + 1013904223;
            in[i] = x >> 29 ? in[i > 300 ? i - 299 : 0] : (uint8_t)(x >> 24);
        }
        int size = compress(sizeof in), n = expand(size);

        sum = sum * 31 + (unsigned)size +
              (unsigned)(n == sizeof in && !memcmp(in, back, sizeof in));
    }
    printf("%u\n", sum);
}
