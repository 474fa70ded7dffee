/*
 * stages: shows what becomes of a few ARM instructions on their way to x86.
 *
 *     build/stages                                  a small loop, all stages
 *     build/stages --dump=opt,x86 --without=fusing
 *     build/stages e0810002 e12fff1e                instructions of yours, in hex
 *
 * The instructions are put into a guest with two pages, translated, printed, and run:
 * a loop sums up ten numbers, and the last line says what it found. Instructions of
 * yours are run up to the first one that leaves them.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "06-tcg/translate/translator.h"
#include "common/bits.h"
#include "common/die.h"

#define CODE      0x10000u
#define DATA      0x20000u
#define NUMBERS   10u
#define WORDS_MAX 256u
#define BKPT      0xe1200070u /* ends the program */

/* r0 = the sum of r2 words at r1 */
static const uint32_t sum[] = {
    0xe3a00000, /*       mov  r0, #0        */
    0xe4913004, /* next: ldr  r3, [r1], #4  */
    0xe0800003, /*       add  r0, r0, r3    */
    0xe2522001, /*       subs r2, r2, #1    */
    0x1afffffb, /*       bne  next          */
};

static const char usage[] =
    "usage: stages [--dump=arm,ir,opt,x86] [--without=NAME,...] [WORD...]\n"
    "\n"
    "Translates ARM instructions (hexadecimal words; a loop if there are none), prints\n"
    "the stages of their translation, and runs them.\n"
    "\n"
    "NAME is a technique to leave out, of\n" TRANSLATOR_TECHNIQUES;

static void parse(int argc, char **argv, struct translator_options *options)
{
    static const struct option long_options[] = {{"dump", required_argument, NULL, 'd'},
                                                 {"without", required_argument, NULL, 'w'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    const char *bad;
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
        if (option == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (option == 'd' && !translator_parse_dump(optarg, &options->dump, &bad))
            die("--dump: no stage is called \"%s\"; there are arm, ir, opt, x86", bad);
        if (option == 'w' && !translator_parse_without(optarg, &options->without, &bad))
            die("--without: no technique is called \"%s\"; see --help", bad);
        if (option == '?') {
            fputs(usage, stderr);
            exit(1);
        }
    }
    if (!options->dump)
        options->dump = TRANSLATOR_DUMP_ARM | TRANSLATOR_DUMP_IR | TRANSLATOR_DUMP_OPT |
                        TRANSLATOR_DUMP_X86;
}

/* The words of the command line, or the loop; then a breakpoint, whose address it says. */
static uint32_t load_code(struct space *space, int count, char **words)
{
    uint32_t code[WORDS_MAX + 1];

    if (count > (int)WORDS_MAX)
        die("%d words are too many; %u fit", count, WORDS_MAX);
    for (int n = 0; n < count; n++) {
        char *end;

        code[n] = (uint32_t)strtoul(words[n], &end, 16);
        if (*end)
            die("%s: not a hexadecimal word", words[n]);
    }
    if (count == 0) {
        count = ARRAY_SIZE(sum);
        memcpy(code, sum, sizeof sum);
    }
    code[count] = BKPT;
    space_write(space, CODE, code, (size_t)(count + 1) * sizeof code[0]);
    return CODE + 4 * (uint32_t)count;
}

static void load_data(struct space *space)
{
    for (uint32_t n = 0; n < NUMBERS; n++) {
        uint32_t number = n + 1;

        space_write(space, DATA + 4 * n, &number, sizeof number);
    }
}

int main(int argc, char **argv)
{
    struct translator_options options = {.dump_file = stdout};
    struct translator *translator;
    struct space space;
    struct arm_cpu cpu = {.space = &space};
    struct arm_stop stop;

    parse(argc, argv, &options);
    if (space_init(&space) < 0 ||
        space_map(&space, CODE, SPACE_PAGE_SIZE, SPACE_READ | SPACE_EXEC | SPACE_WRITE, false, -1,
                  0) < 0 ||
        space_map(&space, DATA, SPACE_PAGE_SIZE, SPACE_READ | SPACE_WRITE, false, -1, 0) < 0 ||
        translator_new(&translator, &space, &options) < 0)
        die("no memory for a guest");
    cpu.r[ARM_LR] = load_code(&space, argc - optind, argv + optind); /* "bx lr" ends it */
    load_data(&space);
    cpu.r[ARM_PC] = CODE;
    cpu.r[ARM_SP] = DATA + SPACE_PAGE_SIZE;
    cpu.r[1] = DATA;
    cpu.r[2] = NUMBERS;
    stop = translator_run(translator, &cpu);
    printf("\n%s at %#x, r0 = %u\n", stop.reason == ARM_BREAKPOINT ? "done" : "stopped",
           cpu.r[ARM_PC], cpu.r[0]);
    translator_free(translator);
    space_free(&space);
    return stop.reason != ARM_BREAKPOINT;
}
