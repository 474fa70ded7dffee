/* Division: 32 and 64 bits, signed and unsigned, by the compiler's library. */
#include <stdint.h>
#include <stdio.h>

int main(void)
{
    uint64_t x = 88172645463325252, sum = 0;

    for (int i = 0; i < 3000000; i++) {
        uint32_t small;

        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        small = (uint32_t)(x >> 40) | 1;
        sum += x / small + (uint32_t)x % small;
        sum += (uint64_t)((int64_t)x / ((int64_t)(sum >> 20) | 1));
        sum += (uint64_t)((int32_t)x / ((int32_t)(x >> 50) | 1));
    }
    printf("%llu\n", (unsigned long long)sum);
}
