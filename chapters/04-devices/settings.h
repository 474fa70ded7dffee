/*
 * settings.h: the command line of the program "devices".
 */
#ifndef CHAPTER_04_SETTINGS_H
#define CHAPTER_04_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/pc.h"

struct settings {
    const char *guest; /* NULL: the built-in one */
    double limit;      /* seconds; 0 for none */
    enum irqchip irqchip;
    bool screen, debug_exit, stats;
    const char *trace; /* NULL: none */
};

/* Reads argv; --help prints and exits, what is wrong dies by name. guest_max: for --help. */
struct settings settings_parse(int argc, char **argv, uint64_t guest_max);

#endif
