/* A hash table with open addressing: insert, find, count. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SIZE (1u << 15)

static uint32_t keys[SIZE], counts[SIZE];

static uint32_t *find(uint32_t key)
{
    uint32_t i = key * 2654435761u >> 17;

    while (keys[i] && keys[i] != key)
        i = (i + 1) & (SIZE - 1);
    keys[i] = key;
    return &counts[i];
}

int main(void)
{
    uint32_t x = 1, sum = 0;

    for (int round = 0; round < 20; round++) {
        memset(keys, 0, sizeof keys);
        memset(counts, 0, sizeof counts);
        for (int i = 0; i < 1500000; i++) {
            x = x * 1664525 + 1013904223;
            ++*find((x >> 12) % 22000 + 1);
        }
        for (uint32_t i = 0; i < SIZE; i++)
            sum = sum * 31 + keys[i] * counts[i];
    }
    printf("%u\n", sum);
}
