/* Mandelbrot's set in fixed point: long multiplications. */
#include <stdint.h>
#include <stdio.h>

static int32_t times(int32_t a, int32_t b)
{
    return (int32_t)((int64_t)a * b >> 24);
}

int main(void)
{
    unsigned sum = 0;

    for (int row = 0; row < 900; row++)
        for (int column = 0; column < 400; column++) {
            int32_t cr = (column - 300) * 83886, ci = (row - 450) * 37282, r = 0, i = 0;
            unsigned n = 0;

            for (; n < 400; n++) {
                int32_t rr = times(r, r), ii = times(i, i);

                if (rr + ii > 4 << 24)
                    break;
                i = 2 * times(r, i) + ci;
                r = rr - ii + cr;
            }
            sum += n;
        }
    printf("%u\n", sum);
}
