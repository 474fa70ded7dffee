/* A matcher of regular expressions, after Kernighan and Pike: c . * ^ $. */
#include <stdio.h>
#include <string.h>

static int here(const char *regex, const char *text);

static int star(int c, const char *regex, const char *text)
{
    do
        if (here(regex, text))
            return 1;
    while (*text && (*text++ == c || c == '.'));
    return 0;
}

static int here(const char *regex, const char *text)
{
    if (!regex[0])
        return 1;
    if (regex[1] == '*')
        return star(regex[0], regex + 2, text);
    if (regex[0] == '$' && !regex[1])
        return !*text;
    return *text && (regex[0] == '.' || regex[0] == *text) && here(regex + 1, text + 1);
}

static int match(const char *regex, const char *text)
{
    do
        if (here(regex, text))
            return 1;
    while (*text++);
    return 0;
}

int main(void)
{
    static const char *const regexes[] = {"qu.*k", "a*b*c*d", "j.*mp.*l", "z.y$", "o.*o.*o.*x$"};
    char text[] = "the quick brown fox jumps over the lazy dog and back again";
    unsigned sum = 0;

    for (unsigned round = 0; round < 120000; round++) {
        text[round % 50] ^= 1;
        for (unsigned i = 0; i < sizeof regexes / sizeof regexes[0]; i++)
            sum += (unsigned)match(regexes[i], text) << i;
    }
    printf("%u\n", sum);
}
