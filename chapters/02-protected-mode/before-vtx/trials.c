/*
 * trials.c: see trials.h.
 *
 * Nothing here can harm: what the kernel must guard traps, and what does not trap is
 * harmless, at least to the host. Left out on purpose: far calls and INT n, which do
 * what they do through whatever tables the host has, and IN, whose port might exist.
 */
#define _GNU_SOURCE
#include "02-protected-mode/before-vtx/trials.h"

#include <cpuid.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "01-kvm-hello/kvm.h"
#include "02-protected-mode/x86.h"
#include "common/bits.h"

/* Where Linux says that the tables are, if UMIP lets it: arch/x86/kernel/umip.c */
#define UMIP_DUMMY_GDT UINT64_C(0xfffffffffffe0000)

struct __attribute__((packed)) table {
    uint16_t limit;
    uint64_t base;
};
_Static_assert(sizeof(struct table) == 10, "SGDT stores ten bytes");

/* TRY(name, asm...): a trial without a result. */
#define TRY(name, ...)                                                                             \
    static uint64_t name(void)                                                                     \
    {                                                                                              \
        __asm__ volatile(__VA_ARGS__);                                                             \
        return 0;                                                                                  \
    }

TRY(try_cli, "cli")
TRY(try_sti, "sti")
TRY(try_hlt, "hlt")
TRY(try_lgdt, "lgdt %0" : : "m"(*&(struct table){0}))
TRY(try_lidt, "lidt %0" : : "m"(*&(struct table){0}))
TRY(try_ltr, "ltr %w0" : : "r"(0))
TRY(try_read_cr0, "mov %%cr0, %%rax" : : : "rax")
TRY(try_write_cr3, "mov %0, %%cr3" : : "r"(UINT64_C(0)))
TRY(try_wrmsr, "wrmsr" : : "c"(0), "a"(0), "d"(0))
TRY(try_out, "outb %%al, $0x80" : : "a"(0))
TRY(try_clts, "clts")
TRY(try_wbinvd, "wbinvd")

static uint64_t try_sgdt(void)
{
    struct table gdt = {0};

    __asm__ volatile("sgdt %0" : "=m"(gdt));
    return gdt.base;
}

static uint64_t try_sidt(void)
{
    struct table idt = {0};

    __asm__ volatile("sidt %0" : "=m"(idt));
    return idt.base;
}

static uint64_t try_smsw(void)
{
    uint64_t word = 0;

    __asm__ volatile("smsw %0" : "=r"(word));
    return word;
}

/* Asks for no interrupts, by POPF, and looks: 1 if the flag is still set. */
static uint64_t try_popf(void)
{
    uint64_t after;

    __asm__ volatile("pushfq\n\t"
                     "andq %1, (%%rsp)\n\t"
                     "popfq\n\t"
                     "pushfq\n\t"
                     "popq %0"
                     : "=r"(after)
                     : "i"(~RFLAGS_IF)
                     : "cc", "memory");
    return after & RFLAGS_IF ? 1 : 0;
}

static uint64_t try_sldt(void)
{
    uint16_t selector = 0;

    __asm__ volatile("sldt %0" : "=r"(selector));
    return selector;
}

static uint64_t try_str(void)
{
    uint16_t selector = 0;

    __asm__ volatile("str %0" : "=r"(selector));
    return selector;
}

static uint64_t try_pushf(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    return flags;
}

static uint64_t try_read_cs(void)
{
    uint64_t selector = 0;

    __asm__ volatile("mov %%cs, %0" : "=r"(selector));
    return selector;
}

/* A load asks the host's table. This is Linux's own data segment for ring 3: it succeeds. */
static uint64_t try_load_ds(void)
{
    uint64_t selector = 0;

    __asm__ volatile("mov %1, %%ds\n\t"
                     "mov %%ds, %0\n\t"
                     "mov %2, %%ds"
                     : "=r"(selector)
                     : "r"(0x2b), "r"(0));
    return selector;
}

/* LAR and LSL of the host's code segment for ring 3: 0 if it cannot be seen. */
static uint64_t try_lar(void)
{
    uint64_t rights = 0;
    bool seen;

    __asm__ volatile("lar %2, %0" : "=r"(rights), "=@ccz"(seen) : "r"(UINT64_C(0x33)));
    return seen ? rights : 0;
}

static uint64_t try_lsl(void)
{
    uint64_t limit = 0;
    bool seen;

    __asm__ volatile("lsl %2, %0" : "=r"(limit), "=@ccz"(seen) : "r"(UINT64_C(0x33)));
    return seen ? limit : 0;
}

static uint64_t try_verr(void)
{
    bool readable;

    __asm__ volatile("verr %w1" : "=@ccz"(readable) : "r"(0x10));
    return readable;
}

static const char *judge_popf(uint64_t still_set)
{
    return still_set ? "it is ignored; the flag is still 1" : "the flag is 0";
}

static const char *judge_verr(uint64_t readable)
{
    return readable ? "readable" : "not readable, for ring 3";
}

static const struct trial list[] = {
    {"cli", "no interrupts", try_cli, NULL},
    {"sti", "interrupts", try_sti, NULL},
    {"hlt", "to wait", try_hlt, NULL},
    {"lgdt", "its own segments", try_lgdt, NULL},
    {"lidt", "its own handlers", try_lidt, NULL},
    {"ltr", "its own task", try_ltr, NULL},
    {"mov rax, cr0", "the machine's mode", try_read_cr0, NULL},
    {"mov cr3, rax", "its own page tables", try_write_cr3, NULL},
    {"wrmsr", "a model-specific register", try_wrmsr, NULL},
    {"out 0x80, al", "a device", try_out, NULL},
    {"clts", "the FPU", try_clts, NULL},
    {"wbinvd", "empty caches", try_wbinvd, NULL},
    {"sgdt", "where its GDT is", try_sgdt, NULL},
    {"sidt", "where its IDT is", try_sidt, NULL},
    {"smsw", "its CR0", try_smsw, NULL},
    {"sldt", "its LDT's selector", try_sldt, NULL},
    {"str", "its task's selector", try_str, NULL},
    {"pushf", "its interrupt flag", try_pushf, NULL},
    {"popf", "to clear that flag", try_popf, judge_popf},
    {"mov rax, cs", "ring 0 in its low bits", try_read_cs, NULL},
    {"mov ds, ax", "a segment of its own GDT", try_load_ds, NULL},
    {"lar", "its own access rights", try_lar, NULL},
    {"lsl", "its own limit", try_lsl, NULL},
    {"verr", "may it read 0x10?", try_verr, judge_verr},
};

const struct trial *trials(unsigned *count)
{
    *count = ARRAY_SIZE(list);
    return list;
}

static sigjmp_buf back;

static void on_signal(int signal)
{
    siglongjmp(back, signal);
}

/* [run] */
struct trial_result trial_run(const struct trial *trial)
{
    static const int signals[] = {SIGSEGV, SIGILL, SIGBUS, SIGTRAP};
    struct sigaction action = {.sa_handler = on_signal}, before[ARRAY_SIZE(signals)];
    struct trial_result result = {0};

    for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
        sigaction(signals[i], &action, &before[i]);
    result.signal = sigsetjmp(back, 1);
    if (result.signal == 0)
        result.got = trial->run();
    for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
        sigaction(signals[i], &before[i], NULL);
    return result;
}
/* [/run] */

enum umip umip_state(void)
{
    static const struct trial sgdt = {"sgdt", "", try_sgdt, NULL};
    unsigned eax, ebx, ecx = 0, edx;
    struct trial_result result = trial_run(&sgdt);

    if (result.signal)
        return UMIP_ON;
    if (result.got == UMIP_DUMMY_GDT)
        return UMIP_SPOOFED;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ecx & BIT(2)))
        return UMIP_ABSENT;
    return UMIP_OFF;
}

const char *umip_words(enum umip state)
{
    switch (state) {
    case UMIP_ABSENT: return "this processor has no UMIP: sgdt, sidt, smsw, sldt and str tell all";
    case UMIP_OFF: return "this processor has UMIP, but the kernel has not switched it on";
    case UMIP_ON: return "UMIP is on: sgdt, sidt, smsw, sldt and str trap";
    case UMIP_SPOOFED:
        return "UMIP is on: sgdt, sidt, smsw, sldt and str trap into Linux, which makes up an "
               "answer";
    }
    return "";
}

void trials_print(FILE *out)
{
    unsigned trapped = 0;

    fprintf(out, "%-13s %-26s in ring 3 of this computer\n", "instruction", "a kernel wants");
    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        struct trial_result result = trial_run(&list[i]);

        trapped += result.signal != 0;
        fprintf(out, "%-13s %-26s ", list[i].name, list[i].wants);
        if (result.signal)
            fprintf(out, "trapped: %s\n",
                    result.signal == SIGSEGV  ? "SIGSEGV"
                    : result.signal == SIGILL ? "SIGILL"
                                              : strsignal(result.signal));
        else if (list[i].judge)
            fprintf(out, "silent: %s\n", list[i].judge(result.got));
        else
            fprintf(out, "silent: 0x%" PRIx64 "\n", result.got);
    }
    fprintf(out, "%u trapped, %u did not\n%s\n", trapped, (unsigned)ARRAY_SIZE(list) - trapped,
            umip_words(umip_state()));
}
