/* Linked lists: build, reverse, merge sort, walk. */
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *next;
    unsigned value;
};

static struct node nodes[20000];

static struct node *merge(struct node *a, struct node *b)
{
    struct node head, *tail = &head;

    while (a && b) {
        struct node **least = a->value <= b->value ? &a : &b;

        tail = tail->next = *least;
        *least = (*least)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *sort(struct node *list)
{
    struct node *slow = list, *fast = list, *half;

    if (!list || !list->next)
        return list;
    while (fast->next && fast->next->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    half = slow->next;
    slow->next = NULL;
    return merge(sort(list), sort(half));
}

int main(void)
{
    unsigned x = 3, sum = 0, n = sizeof nodes / sizeof nodes[0];

    for (int round = 0; round < 100; round++) {
        struct node *list = NULL, *reversed = NULL;

        for (unsigned i = 0; i < n; i++) {
            nodes[i] = (struct node){list, x = x * 1664525 + 1013904223};
            list = &nodes[i];
        }
        for (struct node *next, *at = sort(list); at; at = next) {
            next = at->next;
            at->next = reversed;
            reversed = at;
        }
        for (struct node *at = reversed; at; at = at->next)
            sum = sum * 31 + at->value;
    }
    printf("%u\n", sum);
}
