/* Integer matrices: multiply and add, strides through memory. */
#include <stdio.h>

#define N 160

static int a[N][N], b[N][N], c[N][N];

int main(void)
{
    unsigned sum = 0;

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = i * 3 + j;
            b[i][j] = i - j * 5;
        }
    for (int round = 0; round < 120; round++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                int s = 0;

                for (int k = 0; k < N; k++)
                    s += a[i][k] * b[k][j];
                c[i][j] = s;
            }
        a[round % N][round % N] = c[round / 2][round];
        sum += (unsigned)c[round][N - 1];
    }
    printf("%u\n", sum);
}
