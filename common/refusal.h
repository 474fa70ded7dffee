/*
 * refusal.h: why a library function said no, in words.
 *
 * A parser knows which field is wrong; only its caller knows which file it came
 * from and whether that ends the program. So the parser fills a struct refusal
 * with "FIELD: what is wrong" and returns -EINVAL (or another -errno), and the
 * caller who decides prints one line that starts with the file's name.
 *
 *     struct refusal why;
 *     if (bzimage_load(..., &why) < 0)
 *         die("%s: %s", path, why.text);
 */
#ifndef COMMON_REFUSAL_H
#define COMMON_REFUSAL_H

struct refusal {
    char text[400]; /* one line, no newline, always terminated */
};

/* Sets the text and returns error, so that "return refuse(...)" reads well. */
__attribute__((format(printf, 3, 4))) int refuse(struct refusal *why, int error, const char *format,
                                                 ...);

#endif
