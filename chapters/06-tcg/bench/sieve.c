/* Eratosthenes: short loops of stores. */
#include <stdio.h>
#include <string.h>

static unsigned char composite[1 << 20];

int main(void)
{
    unsigned n = sizeof composite, count = 0;

    for (int round = 0; round < 120; round++) {
        memset(composite, 0, n);
        count = 0;
        for (unsigned i = 2; i < n; i++) {
            if (composite[i])
                continue;
            count++;
            for (unsigned j = 2 * i; j < n; j += i)
                composite[j] = 1;
        }
    }
    printf("%u\n", count);
}
