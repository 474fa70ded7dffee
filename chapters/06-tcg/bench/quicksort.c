/* Sorting by hand: comparisons that nobody can predict. */
#include <stdio.h>

static int a[1 << 20];

static void sort(int *low, int *high)
{
    while (low < high) {
        int pivot = *(low + (high - low) / 2), *i = low - 1, *j = high + 1;

        for (;;) {
            do
                i++;
            while (*i < pivot);
            do
                j--;
            while (*j > pivot);
            if (i >= j)
                break;
            int t = *i;
            *i = *j;
            *j = t;
        }
        sort(low, j);
        low = j + 1;
    }
}

int main(void)
{
    unsigned x = 1, sum = 0, n = sizeof a / sizeof a[0];

    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < n; i++)
            a[i] = (int)(x = x * 1664525 + 1013904223);
        sort(a, a + n - 1);
        for (unsigned i = 0; i < n; i++)
            sum = sum * 31 + (unsigned)a[i];
    }
    printf("%u\n", sum);
}
