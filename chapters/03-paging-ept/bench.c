/*
 * bench.c: what a TLB miss costs, with one dimension and with two.
 *
 * A chain of pointers visits one line in each page of a working set, in random order,
 * so that each step needs a translation that the last steps did not. As the set grows
 * past what the TLB holds, each step pays for a walk. The same chain runs in this
 * process (one dimension) and in a guest (two), each with 4 KiB and with 2 MiB pages.
 * In the guest, both dimensions use the same size.
 *
 * Left out on purpose: subtracting the data's own cache misses. They are the same in
 * all four columns; read differences between columns, not the numbers alone.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cpuid.h>

#include "01-kvm-hello/kvm.h"
#include "03-paging-ept/paging_regs.h"
#include "common/bits.h"
#include "common/die.h"
#include "common/embed.h"

#define SMALLEST     (256 * KIB)
#define LARGEST      (256 * MIB)
#define SIZES        11u /* from SMALLEST, doubling */
#define GUEST_BASE   (16 * MIB)
#define GUEST_TABLES (1 * MIB)
#define STEPS        (1u << 21)

EMBED(chase_bin, "03-paging-ept/chase.bin");

enum { HOST_4K, HOST_2M, GUEST_4K, GUEST_2M, COLUMNS };
static const char *const names[COLUMNS] = {"host 4K", "host 2M", "guest 4K", "guest 2M"};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* [chain] */
/*
 * One link in each page, each in another line of its page, closed to a ring in random
 * order (Sattolo's shuffle). Links hold addresses as the one who follows sees them.
 */
static void build_chain(uint8_t *memory, uint64_t size, uint64_t seen_at)
{
    unsigned pages = (unsigned)(size / 4096);
    unsigned *order = malloc(pages * sizeof *order);
    uint64_t state = 1;

    if (!order)
        die("no memory for a chain of %u links", pages);
    for (unsigned i = 0; i < pages; i++)
        order[i] = i;
    for (unsigned i = pages - 1; i > 0; i--) {
        state = state * UINT64_C(6364136223846793005) + 1;
        unsigned j = (unsigned)(state >> 33) % i, swap = order[i];

        order[i] = order[j];
        order[j] = swap;
    }
    for (unsigned i = 0; i < pages; i++) {
        unsigned from = order[i], to = order[(i + 1) % pages];
        uint64_t target = seen_at + (uint64_t)to * 4096 + to % 64 * 64;

        memcpy(memory + (uint64_t)from * 4096 + from % 64 * 64, &target, sizeof target);
    }
    free(order);
}
/* [/chain] */

static double chase_host(uint64_t *link, unsigned steps)
{
    double start = now();

    for (unsigned i = 0; i < steps; i++)
        link = (uint64_t *)(uintptr_t) * (volatile uint64_t *)link;
    __asm__ volatile("" : : "r"(link));
    return (now() - start) / steps * 1e9;
}

/* Identity from 0 to 1 GiB: code and tables by one big page, data as asked. */
static struct paging build_tables(const struct vm *vm, bool big)
{
    gpa_t table = GUEST_TABLES;
    uint64_t *pml4 = guest_ptr(&vm->memory, table, 4096);
    uint64_t *pdpt = guest_ptr(&vm->memory, table + 4096, 4096);
    uint64_t *pd = guest_ptr(&vm->memory, table + 8192, 4096);

    pml4[0] = (table + 4096) | PTE_P | PTE_W;
    pdpt[0] = (table + 8192) | PTE_P | PTE_W;
    for (unsigned i = 0; i < 512; i++) {
        uint64_t *pt = guest_ptr(&vm->memory, table + 12288 + i * 4096, 4096);

        pd[i] = i * 2 * MIB | PTE_PS | PTE_P | PTE_W;
        if (big || i < GUEST_BASE / (2 * MIB))
            continue;
        for (unsigned j = 0; j < 512; j++)
            pt[j] = (i * 2 * MIB + j * 4096) | PTE_P | PTE_W;
        pd[i] = (table + 12288 + i * 4096) | PTE_P | PTE_W;
    }
    return (struct paging){.cr0 = CR0_PE | CR0_PG, .cr3 = table, .cr4 = CR4_PAE, .efer = EFER_LME};
}

static double chase_guest(const struct vm *vm, struct vcpu *vcpu, bool big, unsigned steps)
{
    struct paging paging = build_tables(vm, big);
    struct kvm_regs regs;
    double start = 0;

    /* Twice: the first time, pages come and the second dimension is filled in. */
    for (unsigned round = 0; round < 2; round++) {
        vcpu_set_paging(vcpu, &paging, 0x1000, 0x8000);
        vcpu_get_regs(vcpu, &regs);
        regs.rdi = GUEST_BASE;
        regs.rcx = steps;
        vcpu_set_regs(vcpu, &regs);
        start = now();
        do {
            while (!vcpu_run(vcpu))
                ;
        } while (vcpu->run->exit_reason == KVM_EXIT_INTR);
        if (vcpu->run->exit_reason != KVM_EXIT_HLT)
            die("the guest stopped with exit %u", vcpu->run->exit_reason);
    }
    return (now() - start) / steps * 1e9;
}

static void measure_host(double column[SIZES], bool big)
{
    uint8_t *raw = mmap(NULL, LARGEST + 2 * MIB, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *memory = raw + (align_up((uintptr_t)raw, 2 * MIB) - (uintptr_t)raw);

    if (raw == MAP_FAILED)
        die("no memory for the working set");
    madvise(memory, LARGEST, big ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < SIZES; i++) {
        build_chain(memory, SMALLEST << i, (uintptr_t)memory);
        chase_host((uint64_t *)memory, STEPS / 4);
        column[i] = chase_host((uint64_t *)memory, STEPS);
    }
    munmap(raw, LARGEST + 2 * MIB);
}

static void measure_guest(double column[SIZES], bool big, unsigned steps, unsigned sizes)
{
    struct kvm_cpuid2 *cpuid;
    struct vcpu vcpu;
    struct vm vm;

    vm_init(&vm);
    vm_add_ram(&vm, 0, GUEST_BASE + LARGEST);
    madvise(guest_ptr(&vm.memory, 0, 1), GUEST_BASE + LARGEST,
            big ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    memcpy(guest_ptr(&vm.memory, 0x1000, 4096), chase_bin, (size_t)(chase_bin_end - chase_bin));
    vcpu_init(&vcpu, &vm, 0);
    cpuid = vm_supported_cpuid(&vm);
    vcpu_set_cpuid(&vcpu, cpuid);
    free(cpuid);
    for (unsigned i = 0; i < sizes; i++) {
        build_chain(guest_ptr(&vm.memory, GUEST_BASE, LARGEST), SMALLEST << i, GUEST_BASE);
        column[i] = chase_guest(&vm, &vcpu, big, steps);
    }
    vcpu_free(&vcpu);
    vm_free(&vm);
}

/* [why-not] */
/* Why two dimensions cannot be measured on this host; NULL if they can. */
static const char *why_not(void)
{
    char vendor[13] = "", answer = 0;
    unsigned eax;
    FILE *parameter;

    __cpuid(0x40000000, eax, *(unsigned *)vendor, *(unsigned *)(vendor + 4),
            *(unsigned *)(vendor + 8));
    if (strcmp(vendor, "TCGTCGTCGTCG") == 0)
        return "this processor is emulated: its page walks are a C function of QEMU's";
    parameter = fopen("/sys/module/kvm_intel/parameters/ept", "re");
    if (!parameter)
        parameter = fopen("/sys/module/kvm_amd/parameters/npt", "re");
    if (!parameter)
        return "no kvm_intel or kvm_amd here: this KVM has no second dimension";
    answer = (char)fgetc(parameter);
    fclose(parameter);
    return answer == 'Y' || answer == '1' ? NULL : "EPT or nested paging is switched off";
}
/* [/why-not] */

static void plot(const char *path, double results[COLUMNS][SIZES], unsigned columns)
{
    static const char *const classes[COLUMNS] = {"#3182ce", "#63b3ed", "#d9770b", "#f6ad55"};
    FILE *svg = fopen(path, "we");
    double most = 1;

    if (!svg)
        return; /* a plot is a courtesy */
    for (unsigned c = 0; c < columns; c++)
        for (unsigned i = 0; i < SIZES; i++)
            most = results[c][i] > most ? results[c][i] : most;
    fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 340\" "
                 "font-family=\"sans-serif\" font-size=\"13\">\n"
                 "<rect width=\"720\" height=\"340\" fill=\"white\"/>\n");
    for (unsigned c = 0; c < columns; c++) {
        fprintf(svg, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"",
                classes[c]);
        for (unsigned i = 0; i < SIZES; i++)
            fprintf(svg, "%u,%.1f ", 70 + i * 60, 290 - results[c][i] / most * 260);
        fprintf(svg, "\"/>\n<text x=\"80\" y=\"%u\" fill=\"%s\">%s</text>\n", 40 + c * 18,
                classes[c], names[c]);
    }
    for (unsigned i = 0; i < SIZES; i++)
        fprintf(svg, "<text x=\"%u\" y=\"312\" text-anchor=\"middle\">%g</text>\n", 70 + i * 60,
                (double)(SMALLEST << i) / MIB);
    fprintf(svg,
            "<text x=\"370\" y=\"332\" text-anchor=\"middle\">working set in MiB; "
            "nanoseconds for each step, 0 to %.0f</text>\n</svg>\n",
            most);
    fclose(svg);
}

/* The guest's half, small and not timed: does it walk the whole ring and halt? */
static int self_test(void)
{
    double column[SIZES];

    measure_guest(column, false, 64, 1);
    measure_guest(column, true, 64, 1);
    printf("the chain was followed 64 steps in the guest, with small pages and with big ones\n");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    double results[COLUMNS][SIZES];
    const char *reason = why_not(), *path = argc > 2 ? argv[2] : "build/03-paging-ept/tlb.svg";
    unsigned columns = reason ? GUEST_4K : COLUMNS;

    if (argc > 1 && strcmp(argv[1], "--self-test") == 0)
        return self_test();
    if (argc > 1 && strcmp(argv[1], "--plot") != 0) {
        printf("usage: tlb [--plot FILE | --self-test]\n\nMeasures the cost of TLB misses.\n");
        return strcmp(argv[1], "--help") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    measure_host(results[HOST_4K], false);
    measure_host(results[HOST_2M], true);
    if (!reason) {
        measure_guest(results[GUEST_4K], false, STEPS, SIZES);
        measure_guest(results[GUEST_2M], true, STEPS, SIZES);
    }
    printf("nanoseconds for each step of a random chain, one link in each 4 KiB\n%10s", "set");
    for (unsigned c = 0; c < columns; c++)
        printf("%10s", names[c]);
    for (unsigned i = 0; i < SIZES; i++) {
        printf("\n%6llu KiB", (unsigned long long)((SMALLEST << i) / KIB));
        for (unsigned c = 0; c < columns; c++)
            printf("%10.1f", results[c][i]);
    }
    printf("\n");
    if (reason)
        printf("SKIP two dimensions: %s\n", reason);
    plot(path, results, columns);
    printf("plot: %s\n", path);
    return EXIT_SUCCESS;
}
