/*
 * sensitive.h: the instructions a monitor must control, and whether they trap.
 *
 * Popek and Goldberg call an instruction sensitive if it reads or changes the state a
 * monitor must own, and privileged if it traps outside the most privileged mode
 * [POPEK74]. Of x86's sensitive instructions some are privileged; the others run in
 * ring 3 and do, or show, the wrong thing [ROBIN00].
 */
#ifndef CHAPTER_02_SENSITIVE_H
#define CHAPTER_02_SENSITIVE_H

#include <stdint.h>
#include <stdio.h>

#include "02-protected-mode/before-vtx/insn.h"

enum sensitivity {
    INNOCENT, /* not sensitive */
    TRAPS,    /* sensitive, and privileged: ring 3 gets an exception */
    SILENT,   /* sensitive, and not privileged */
};

/* How an instruction behaves in ring 3; *name its mnemonic, if it is sensitive. */
enum sensitivity sensitivity(const struct insn *insn, const char **name);

/* One place of a payload that the scanner found. */
struct site {
    uint32_t offset;
    enum sensitivity kind;
    const char *name;
    uint8_t first; /* the byte that the patch replaced */
};

struct scan {
    struct site *sites; /* in the order of their offsets; owned, scan_free() */
    unsigned count;
    uint32_t unknown; /* bytes that decode to nothing we know; the sweep steps over them */
};

/*
 * Linear sweep: decodes code from its first byte to its last, one instruction behind
 * the other, and notes the sensitive ones. What it cannot know: which bytes are data,
 * where a jump enters the middle of what it took for an instruction, and which code
 * does not exist yet. 0 or -ENOMEM.
 */
int scan(const uint8_t *code, size_t size, struct scan *found);
void scan_free(struct scan *found);

/* Puts INT3, an instruction of one byte that always traps, over each silent site. */
#define PATCH_INT3 0xccu
unsigned scan_patch(uint8_t *code, struct scan *found);

/* The site at offset, or NULL. */
const struct site *scan_find(const struct scan *found, uint64_t offset);

#endif
