/* Conway's game of life: eight neighbours each. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define W 256
#define H 192

static uint8_t now[H + 2][W + 2], next[H + 2][W + 2];

int main(void)
{
    unsigned x = 9, alive = 0;

    for (int i = 1; i <= H; i++)
        for (int j = 1; j <= W; j++)
            now[i][j] = (x = x * 1664525 + 1013904223) >> 30 == 0;
    for (int round = 0; round < 1500; round++) {
        for (int i = 1; i <= H; i++)
            for (int j = 1; j <= W; j++) {
                int n = now[i - 1][j - 1] + now[i - 1][j] + now[i - 1][j + 1] + now[i][j - 1] +
                        now[i][j + 1] + now[i + 1][j - 1] + now[i + 1][j] + now[i + 1][j + 1];

                next[i][j] = n == 3 || (n == 2 && now[i][j]);
            }
        memcpy(now, next, sizeof now);
    }
    for (int i = 1; i <= H; i++)
        for (int j = 1; j <= W; j++)
            alive += now[i][j];
    printf("%u\n", alive);
}
