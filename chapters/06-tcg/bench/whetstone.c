/* Floating point of single precision: polynomials over an array. */
#include <stdio.h>

int main(void)
{
    float x[64], sum = 0;

    for (int i = 0; i < 64; i++)
        x[i] = (float)i / 64;
    for (int round = 0; round < 240000; round++)
        for (int i = 0; i < 64; i++) {
            float y = x[i];

            x[i] = ((0.3f * y - 0.7f) * y + 0.9f) * 0.8f;
            if (x[i] > 0.5f)
                sum += x[i] - 0.5f;
        }
    printf("%.3f %.3f\n", (double)sum, (double)x[7]);
}
