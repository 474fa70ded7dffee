/* Floating point, which such an ARM computes in software: planets. */
#include <stdio.h>

static double p[5][3] = {
    {0, 0, 0}, {4.8, -1.2, -0.1}, {8.3, 4.1, -0.4}, {12.9, -15.1, -0.2}, {15.4, -25.9, 0.2}};
static double v[5][3] = {
    {0, 0, 0}, {0.6, 2.8, -0.02}, {-1.0, 1.8, 0.008}, {1.1, 0.9, -0.01}, {0.9, 0.6, -0.03}};
static const double mass[5] = {39.5, 0.037, 0.011, 0.0017, 0.002};

static double root(double x)
{
    double y = x > 1 ? x / 2 : 1;

    for (int i = 0; i < 6; i++)
        y = (y + x / y) / 2;
    return y;
}

int main(void)
{
    for (int step = 0; step < 48000; step++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                double d[3], square = 0.001;

                for (int k = 0; k < 3; k++) {
                    d[k] = p[i][k] - p[j][k];
                    square += d[k] * d[k];
                }
                double magnitude = 0.001 / (square * root(square));

                for (int k = 0; k < 3; k++) {
                    v[i][k] -= d[k] * mass[j] * magnitude;
                    v[j][k] += d[k] * mass[i] * magnitude;
                }
            }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 3; k++)
                p[i][k] += 0.001 * v[i][k];
    }
    printf("%.6f %.6f\n", p[0][0], p[4][2]);
}
