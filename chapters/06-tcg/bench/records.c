/* Records, strings and small procedures, in the manner of Dhrystone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { ONE, TWO, THREE };

struct record {
    struct record *next;
    enum kind kind;
    int number;
    char name[31];
};

static struct record *current;
static int global;
static char letter;

__attribute__((noinline)) static int same_letter(char a, char b)
{
    letter = a;
    return a == b;
}

__attribute__((noinline)) static int later(const char *a, const char *b)
{
    int i = 2;

    while (i <= 2)
        if (!same_letter(a[i], b[i + 1]))
            i += 3;
    return strcmp(a, b) > 0 ? (global = i + 7, 1) : 0;
}

__attribute__((noinline)) static void next_kind(enum kind in, enum kind *out)
{
    switch (in) {
    case ONE: *out = global > 100 ? TWO : THREE; break;
    case TWO: *out = THREE; break;
    default: *out = ONE;
    }
}

__attribute__((noinline)) static void step(struct record *r)
{
    struct record *next = r->next;

    *next = *current;
    r->number = 5;
    next->number = r->number;
    next->next = r->next;
    next_kind(next->kind, &next->kind);
    if (later(r->name, next->name))
        next->number = 6;
}

int main(void)
{
    struct record *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    char first[31] = "a program's string, the first";
    unsigned sum = 0;

    *b = (struct record){.kind = THREE, .name = "some string"};
    *a = (struct record){.next = b, .kind = TWO, .name = "a program's string"};
    current = a;
    for (int i = 1; i < 8000000; i++) {
        char second[31];

        strcpy(second, "a program's string, second");
        global = i & 255;
        step(a);
        a->kind = (enum kind)(i % 3);
        sum += (unsigned)later(second, first) + (unsigned)b->number * 3 + b->kind;
        a->next = b;
    }
    printf("%u\n", sum);
}
