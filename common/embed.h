/*
 * embed.h: a file's bytes inside the program.
 *
 *     EMBED(hello_bin, "01-kvm-hello/hello.bin");
 *
 * defines hello_bin[] and hello_bin_end[]. The path is relative to the build
 * folder; chapter.mk passes it to the assembler. So a chapter's program carries
 * its guest and runs from any folder.
 */
#ifndef COMMON_EMBED_H
#define COMMON_EMBED_H

#include <stdint.h>

#define EMBED(name, path)                                                                          \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 16\n"                                                                         \
            ".global " #name "\n" #name ":\n"                                                      \
            ".incbin \"" path "\"\n"                                                               \
            ".global " #name "_end\n" #name "_end:\n"                                              \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const uint8_t name[], name##_end[]

#endif
