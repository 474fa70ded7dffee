/*
 * cpu_flags.h: the names of CPUID's feature bits, as Linux and QEMU spell them, and where
 * they are. [SDM2, 3.2 "Instructions (A-L)"], under CPUID; [APM3, E "Obtaining Processor
 * Information Via the CPUID Instruction"]
 */
#ifndef CHAPTER_07_CPU_FLAGS_H
#define CHAPTER_07_CPU_FLAGS_H

#include <stdint.h>

enum cpu_register { CPU_EAX, CPU_EBX, CPU_ECX, CPU_EDX };

struct cpu_flag {
    const char *name;
    uint32_t leaf, index;
    enum cpu_register reg;
    unsigned bit;
};

/* The last has no name. */
extern const struct cpu_flag cpu_flags[];

#endif
