/* Shortest ways with a binary heap. */
#include <stdio.h>
#include <string.h>

#define N      3000
#define DEGREE 8

static unsigned to[N][DEGREE], cost[N][DEGREE], distance[N];
static struct entry {
    unsigned distance, node;
} heap[N * DEGREE + 1];
static unsigned count;

static void push(unsigned distance, unsigned node)
{
    unsigned i = count++;

    for (; i && heap[(i - 1) / 2].distance > distance; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = (struct entry){distance, node};
}

static struct entry pop(void)
{
    struct entry least = heap[0], last = heap[--count];
    unsigned i = 0;

    for (unsigned child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && heap[child + 1].distance < heap[child].distance)
            child++;
        if (heap[child].distance >= last.distance)
            break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return least;
}

int main(void)
{
    unsigned x = 1, sum = 0;

    for (int i = 0; i < N; i++)
        for (int j = 0; j < DEGREE; j++) {
            to[i][j] = (x = x * 1664525 + 1013904223) >> 8 % 31 ? (x >> 10) % N : 0;
            cost[i][j] = x >> 22;
        }
    for (unsigned start = 0; start < 450; start++) {
        memset(distance, 0xff, sizeof distance);
        distance[start] = 0;
        push(0, start);
        while (count) {
            struct entry e = pop();

            if (e.distance > distance[e.node])
                continue;
            for (int j = 0; j < DEGREE; j++) {
                unsigned d = e.distance + cost[e.node][j];

                if (d < distance[to[e.node][j]]) {
                    distance[to[e.node][j]] = d;
                    push(d, to[e.node][j]);
                }
            }
        }
        for (int i = 0; i < N; i++)
            sum = sum * 31 + distance[i];
    }
    printf("%u\n", sum);
}
