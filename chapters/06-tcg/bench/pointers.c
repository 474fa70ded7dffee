/* Calls through pointers: methods of a few kinds of objects in turn. */
#include <stdio.h>

struct shape {
    int (*area)(const struct shape *);
    int (*grow)(struct shape *, int);
    int a, b;
};

static int square(const struct shape *s)
{
    return s->a * s->a;
}
static int rectangle(const struct shape *s)
{
    return s->a * s->b;
}
static int triangle(const struct shape *s)
{
    return s->a * s->b / 2;
}
static int widen(struct shape *s, int by)
{
    return s->a = (s->a + by) & 1023;
}
static int heighten(struct shape *s, int by)
{
    return s->b = (s->b + by) & 1023;
}

int main(void)
{
    struct shape shapes[6] = {{square, widen, 3, 0},      {rectangle, heighten, 4, 5},
                              {triangle, widen, 6, 7},    {rectangle, widen, 8, 9},
                              {triangle, heighten, 1, 2}, {square, heighten, 3, 4}};
    unsigned sum = 0;

    for (int round = 0; round < 40000000; round++) {
        struct shape *s = &shapes[round % 6];

        sum += (unsigned)s->area(s) ^ (unsigned)s->grow(s, round);
    }
    printf("%u\n", sum);
}
