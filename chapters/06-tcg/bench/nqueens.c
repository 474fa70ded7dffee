/* Queens on a board of 12, by bits: recursion with five live values. */
#include <stdio.h>

static unsigned place(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    unsigned count = 0, free = all & ~(columns | left | right);

    if (columns == all)
        return 1;
    while (free) {
        unsigned bit = free & -free;

        free ^= bit;
        count += place(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

int main(void)
{
    unsigned sum = 0;

    for (int round = 0; round < 36; round++)
        sum += place((1u << 12) - 1, 0, 0, 0);
    printf("%u\n", sum);
}
