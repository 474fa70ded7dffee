/* The library's qsort(): a comparison through a pointer each time. */
#include <stdio.h>
#include <stdlib.h>

struct item {
    unsigned key, value;
};

static struct item items[200000];

static int compare(const void *a, const void *b)
{
    const struct item *left = a, *right = b;

    return left->key < right->key ? -1 : left->key > right->key;
}

int main(void)
{
    unsigned x = 7, sum = 0, n = sizeof items / sizeof items[0];

    for (int round = 0; round < 6; round++) {
        for (unsigned i = 0; i < n; i++)
            items[i] = (struct item){x = x * 1664525 + 1013904223, i};
        qsort(items, n, sizeof items[0], compare);
        for (unsigned i = 0; i < n; i++)
            sum = sum * 31 + items[i].value;
    }
    printf("%u\n", sum);
}
