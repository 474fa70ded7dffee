/* The library's string functions on short and long strings. */
#include <stdio.h>
#include <string.h>

int main(void)
{
    static char text[4096], copy[4096];
    unsigned sum = 0;

    for (int i = 0; i < 4095; i++)
        text[i] = (char)('a' + i * 7 % 26);
    for (unsigned round = 0; round < 240000; round++) {
        unsigned from = round * 37 % 3000, length = 5 + round % 1000;

        memcpy(copy, text + from, length);
        copy[length] = '\0';
        sum += strlen(copy);
        sum += (unsigned)(strchr(text, copy[length - 1]) - text);
        sum += strcmp(copy, text + from) < 0;
        sum += strstr(text, "zgnubipw") != NULL;
        sum += (unsigned)(strrchr(copy, 'a') != NULL) + (memcmp(copy, text, length) < 0);
    }
    printf("%u\n", sum);
}
