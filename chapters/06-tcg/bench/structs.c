/* Recursion that passes and returns structures: a tree of expressions. */
#include <stdio.h>

struct range {
    int low, high, count;
};

__attribute__((noinline)) static struct range join(struct range a, struct range b)
{
    return (struct range){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high,
                          a.count + b.count};
}

static struct range walk(int depth, unsigned seed)
{
    if (depth == 0)
        return (struct range){(int)(seed % 1000), (int)(seed % 1717), 1};
    return join(walk(depth - 1, seed * 1664525 + 1013904223), walk(depth - 1, seed * 22695477 + 1));
}

int main(void)
{
    struct range all = {0};

    for (unsigned round = 0; round < 40; round++)
        all = join(all, walk(18, round));
    printf("%d %d %d\n", all.low, all.high, all.count);
}
