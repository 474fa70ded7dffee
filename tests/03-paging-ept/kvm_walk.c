/*
 * The walker against two others: KVM's own (KVM_TRANSLATE) and the processor's (real
 * faults of a real guest), on random tables. CASES and SEED say how many and which.
 * One file, though long: both comparisons print and shrink the same kind of case.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "03-paging-ept/paging_regs.h"
#include "01-kvm-hello/exits.h"
#include "common/file.h"
#include "harness/harness.h"
#include "tables.h"

#define SECTION      "book/03-paging-ept.md, \"Who says that it is right?\""
#define REQUESTS_MAX 64u
#define PROBER       0x1000u
#define PROBER_IDT   0x2000u
#define PROBER_GDT   0x3000u
#define MAILBOX      0x4000u
#define RET          0xc3

static struct vm vm;
static struct vcpu vcpu;
static struct paging_features features;
static bool forgets_p;      /* QEMU's emulator: no P in the error code of a reserved bit */
static bool keeps_pml4_256; /* software KVM: ring 3 finds nothing below that entry */

struct request {
    uint64_t address, cr2;
    uint32_t kind, user, flags, outcome, error, unused;
};
struct mailbox {
    uint32_t count, done, unused[2];
    struct request requests[REQUESTS_MAX];
};
_Static_assert(sizeof(struct request) == 40, "prober.inc: REQUEST_SIZE");

enum { DONE = 1, PAGE_FAULT = 2, PROTECTION = 3 };

static unsigned long number(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 0) : otherwise;
}

static void setup(void)
{
    struct kvm_cpuid2 *cpuid;

    vm_init(&vm);
    vm_add_ram(&vm, 0, TABLES_RAM);
    vcpu_init(&vcpu, &vm, 0);
    cpuid = vm_supported_cpuid(&vm);
    vcpu_set_cpuid(&vcpu, cpuid);
    free(cpuid);
    features = paging_features(&vm);
}

static void teardown(void)
{
    vcpu_free(&vcpu);
    vm_free(&vm);
}

/* Control registers for one case, within what this host offers. */
static struct paging random_paging(struct rng *rng, unsigned levels)
{
    struct paging p = {
        .cr0 = CR0_PE | CR0_PG | (chance(rng, 60) ? CR0_WP : 0),
        .cr3 = ROOT,
        .cr4 = (levels == 2 ? (chance(rng, 80) ? CR4_PSE : 0) : CR4_PAE) |
               (levels == 5 ? CR4_LA57 : 0),
        .efer = (levels >= 4 ? EFER_LME : 0) | (chance(rng, 70) ? EFER_NXE : 0),
        .maxphyaddr = features.maxphyaddr,
        .gib_pages = features.gib_pages,
        .pse36_width = 36,
    };

    if (features.smep && chance(rng, 40))
        p.cr4 |= CR4_SMEP;
    if (features.smap && chance(rng, 40))
        p.cr4 |= CR4_SMAP;
    return p;
}

/* What KVM's walker and ours say to one address. NULL if they agree. */
static const char *translate_differs(const struct paging *p, uint64_t address)
{
    static char text[2048];
    struct kvm_translation kvm = {.linear_address = address};
    struct walk ours = walk(&vm.memory, p, address, WALK_READ);

    if (ioctl(vcpu.fd, KVM_TRANSLATE, &kvm) < 0)
        return "KVM_TRANSLATE failed";
    if (kvm.valid == (ours.status == WALK_OK) && (!kvm.valid || kvm.physical_address == ours.gpa))
        return NULL;
    describe_walk(text, sizeof text, p, address, WALK_READ, &ours);
    snprintf(text + strlen(text), sizeof text - strlen(text), "; KVM_TRANSLATE: valid %d, 0x%llx",
             kvm.valid, kvm.physical_address);
    return text;
}

/* Clears bits of the entries on the path as long as the two still differ. */
static const char *shrink(const struct paging *p, uint64_t address)
{
    struct walk path = walk(&vm.memory, p, address, WALK_READ);

    for (unsigned i = walk_levels(p) == 3; i < path.step_count; i++) {
        for (unsigned bit = 0; bit < entry_size(p) * 8; bit++) {
            uint64_t entry = 0;
            void *at = guest_ptr(&vm.memory, path.steps[i].entry_at, entry_size(p));

            if (!at)
                continue;
            memcpy(&entry, at, entry_size(p));
            put_entry(&vm.memory, p, path.steps[i].entry_at, entry & ~BIT(bit));
            if (!translate_differs(p, address))
                put_entry(&vm.memory, p, path.steps[i].entry_at, entry);
        }
    }
    return translate_differs(p, address);
}

static void compare_with_kvm(unsigned levels, unsigned long cases)
{
    unsigned long seed = number("SEED", 1), valid = 0, all = 0;

    cases = number("CASES", cases);
    for (unsigned long n = 0; n < cases; n++) {
        struct rng rng = {(seed << 32) + n * 5 + levels};
        struct paging p = random_paging(&rng, levels);

        uint64_t pointers[4];

        random_tables(&vm.memory, &rng, &p);
        memcpy(pointers, guest_ptr(&vm.memory, ROOT, sizeof pointers), sizeof pointers);
        vcpu_set_paging(&vcpu, &p, PROBER, 0x8000);
        for (unsigned i = 0; i < 32; i++, all++) {
            uint64_t address = random_address(&rng, &p);

            if (walk(&vm.memory, &p, address, WALK_READ).status == WALK_NON_CANONICAL)
                continue; /* KVM_TRANSLATE ignores the high bits; the prober looks at them */
            /* Loops may have marked PAE's pointers in memory; the vCPU has them inside. */
            if (levels == 3)
                memcpy(guest_ptr(&vm.memory, ROOT, sizeof pointers), pointers, sizeof pointers);
            if (translate_differs(&p, address))
                e2e_fail(SECTION, "the answer of KVM_TRANSLATE", "a rule of the walk",
                         "seed %lu, case %lu, made as small as it gets: %s", seed, n,
                         shrink(&p, address));
            valid += walk(&vm.memory, &p, address, WALK_READ).status == WALK_OK;
        }
    }
    printf("   %u levels: %lu tables, %lu addresses, %lu of them mapped, seed %lu\n", levels, cases,
           all, valid, seed);
    ck_assert_msg(cases < 100 || valid > all / 20, "hardly any address is mapped");
}

START_TEST(two_levels_agree_with_kvm_translate)
{
    compare_with_kvm(2, 2000);
}
END_TEST

START_TEST(pae_agrees_with_kvm_translate)
{
    compare_with_kvm(3, 2000);
}
END_TEST

START_TEST(four_levels_agree_with_kvm_translate)
{
    compare_with_kvm(4, 3000);
}
END_TEST

START_TEST(five_levels_agree_with_kvm_translate)
{
    compare_with_kvm(5, 2000);
}
END_TEST

/* The prober, its tables' addresses, and its task segment. */
static void start_prober(const struct paging *p)
{
    bool is_64 = walk_levels(p) >= 4;
    struct refusal why;
    struct kvm_sregs sregs;
    uint8_t *code;
    size_t size;

    if (file_read_all(
            harness_built(is_64 ? "03-paging-ept/prober64.bin" : "03-paging-ept/prober32.bin"),
            64 * KIB, &code, &size, &why) < 0)
        ck_abort_msg("%s", why.text);
    memcpy(guest_ptr(&vm.memory, PROBER, size), code, size);
    free(code);
    memset(guest_ptr(&vm.memory, DATA, DATA_END - DATA), RET, DATA_END - DATA);
    vcpu_set_paging(&vcpu, p, PROBER, 0x8000);
    vcpu_get_sregs(&vcpu, &sregs);
    sregs.gdt = (struct kvm_dtable){.base = PROBER_GDT, .limit = 7 * 8 - 1};
    sregs.idt = (struct kvm_dtable){.base = PROBER_IDT, .limit = 32 * (is_64 ? 16 : 8) - 1};
    vcpu_set_sregs(&vcpu, &sregs);
}

/* Would this access hurt the prober itself, or run something that does not return? */
static bool is_harmful(const struct guest_memory *model, const struct walk *w, uint32_t kind)
{
    const uint8_t *byte = guest_ptr(model, w->gpa, 1);

    if (w->status == WALK_NO_TABLE)
        return true; /* see walk.h: hosts differ */
    if (w->status != WALK_OK || kind == 0)
        return false;
    if (kind == 2)
        return !byte || *byte != RET;
    return w->gpa < ROOT + 32; /* the window, and the root's way to it */
}

/* A request and what must come of it, worked out on a copy of the guest's memory. */
static bool plan(struct guest_memory *model, struct paging p, struct rng *rng,
                 struct request *request, struct walk *expected)
{
    unsigned access;

    *request = (struct request){.address = random_address(rng, &p),
                                .kind = (uint32_t)below(rng, 3),
                                .user = chance(rng, 50),
                                .flags = RFLAGS_ONE | (chance(rng, 30) ? RFLAGS_AC : 0)};
    p.rflags = request->flags;
    access = (request->kind == 1   ? WALK_WRITE
              : request->kind == 2 ? WALK_FETCH
                                   : WALK_READ) |
             (request->user ? WALK_USER : 0);
    *expected = walk(model, &p, request->address, access);
    if (is_harmful(model, expected, request->kind))
        return false;
    if (keeps_pml4_256 && request->user && bits(request->address, 63, 39) == 0x1ffff00)
        return false;
    if (walk(model, &p, request->address, access | WALK_SET_AD).status == WALK_OK &&
        request->kind == 1 && guest_ptr(model, expected->gpa, 1))
        *(uint8_t *)guest_ptr(model, expected->gpa, 1) = RET;
    return true;
}

/* Runs until HLT. Holes read as all ones; writes to them are lost. */
static void run_prober(void)
{
    for (;;) {
        if (!vcpu_run(&vcpu))
            continue;
        if (vcpu.run->exit_reason == KVM_EXIT_HLT)
            return;
        if (vcpu.run->exit_reason != KVM_EXIT_MMIO) {
            struct mailbox *box = guest_ptr(&vm.memory, MAILBOX, sizeof *box);
            struct request *r = &box->requests[box->done];

            exit_report(stdout, &vm, &vcpu);
            ck_abort_msg("the prober stopped with exit %u at request %u of %u (address 0x%llx "
                         "kind %u user %u)",
                         vcpu.run->exit_reason, box->done, box->count,
                         (unsigned long long)r->address, r->kind, r->user);
        }
        if (!vcpu.run->mmio.is_write)
            memset(vcpu.run->mmio.data, 0xff, sizeof vcpu.run->mmio.data);
    }
}

static void check_answer(const struct request *got, const struct walk *expected,
                         const struct paging *p, unsigned long seed, unsigned long n)
{
    uint32_t outcome = expected->status == WALK_OK           ? DONE
                       : expected->status == WALK_PAGE_FAULT ? PAGE_FAULT
                                                             : PROTECTION;
    uint32_t error = expected->error_code;
    char text[2048];

    if (forgets_p && expected->reason == WALK_RESERVED)
        error &= ~PF_P;
    if (got->outcome == outcome &&
        (outcome != PAGE_FAULT || (got->error == error && got->cr2 == got->address)))
        return;
    describe_walk(text, sizeof text, p, got->address,
                  (got->kind == 1   ? WALK_WRITE
                   : got->kind == 2 ? WALK_FETCH
                                    : 0) |
                      (got->user ? WALK_USER : 0),
                  expected);
    e2e_fail(SECTION, "the same as the processor", "a rule of the walk",
             "seed %lu, case %lu: %s flags 0x%x; the guest saw outcome %u, error 0x%x, cr2 0x%llx",
             seed, n, text, got->flags, got->outcome, got->error, (unsigned long long)got->cr2);
}

/* The guest's tables must have become what ours became, but for accessed bits. */
static void check_tables(const struct guest_memory *model, const struct paging *p,
                         unsigned long seed, unsigned long n)
{
    for (gpa_t at = ROOT; at < ROOT + TABLE_COUNT * 4096; at += entry_size(p)) {
        uint64_t ours = 0, theirs = 0;

        memcpy(&ours, guest_ptr(model, at, 8), entry_size(p));
        memcpy(&theirs, guest_ptr(&vm.memory, at, 8), entry_size(p));
        if ((ours & ~PTE_A) != (theirs & ~PTE_A) || (ours & PTE_A & ~theirs))
            e2e_fail(SECTION, "the same accessed and dirty bits", "WALK_SET_AD",
                     "seed %lu, case %lu: entry at 0x%llx: ours 0x%llx, the processor's 0x%llx",
                     seed, n, (unsigned long long)at, (unsigned long long)ours,
                     (unsigned long long)theirs);
    }
}

static void compare_with_faults(unsigned levels, unsigned long cases)
{
    unsigned long seed = number("SEED", 1), allowed = 0, faults = 0;
    struct guest_memory model = {0};

    ck_assert_int_eq(guest_memory_add(&model, 0, TABLES_RAM), 0);
    cases = number("CASES", cases);
    for (unsigned long n = 0; n < cases; n++) {
        struct rng rng = {(seed << 32) + n * 5 + levels};
        struct paging p = random_paging(&rng, levels);
        struct mailbox *box = guest_ptr(&vm.memory, MAILBOX, sizeof *box);
        struct walk expected[REQUESTS_MAX];

        random_tables(&vm.memory, &rng, &p);
        start_prober(&p);
        memcpy(guest_ptr(&model, 0, TABLES_RAM), guest_ptr(&vm.memory, 0, TABLES_RAM), TABLES_RAM);
        *box = (struct mailbox){0};
        for (unsigned tries = 0; tries < 200 && box->count < REQUESTS_MAX; tries++)
            if (plan(&model, p, &rng, &box->requests[box->count], &expected[box->count]))
                box->count++;
        run_prober();
        ck_assert_uint_eq(box->done, box->count);
        for (unsigned i = 0; i < box->count; i++) {
            check_answer(&box->requests[i], &expected[i], &p, seed, n);
            expected[i].status == WALK_OK ? allowed++ : faults++;
        }
        check_tables(&model, &p, seed, n);
    }
    printf("   %u levels: %lu tables, %lu accesses went through, %lu faulted, seed %lu\n", levels,
           cases, allowed, faults, seed);
    ck_assert_msg(allowed > cases && faults > cases, "a test that sees nothing");
    guest_memory_free(&model);
}

START_TEST(two_levels_fault_as_the_processor_does)
{
    compare_with_faults(2, 100);
}
END_TEST

START_TEST(pae_faults_as_the_processor_does)
{
    compare_with_faults(3, 100);
}
END_TEST

START_TEST(four_levels_fault_as_the_processor_does)
{
    compare_with_faults(4, 200);
}
END_TEST

START_TEST(five_levels_fault_as_the_processor_does)
{
    compare_with_faults(5, 100);
}
END_TEST

/* Does a vCPU that is told to page with so many levels do it? NULL, or why not. */
static const char *pages_with(unsigned levels, const char *reason)
{
    struct paging p = {.cr0 = CR0_PE | CR0_PG,
                       .cr4 = (levels > 2 ? CR4_PAE : 0) | (levels == 5 ? CR4_LA57 : 0),
                       .efer = levels > 3 ? EFER_LME : 0};
    struct kvm_sregs sregs;

    vcpu_get_sregs(&vcpu, &sregs);
    sregs.cr0 = p.cr0;
    sregs.cr4 = p.cr4;
    sregs.efer = p.efer | (p.efer ? EFER_LMA : 0);
    sregs.cs.l = levels > 3;
    sregs.cs.db = levels <= 3;
    sregs.cs.type = 11;
    if (ioctl(vcpu.fd, KVM_SET_SREGS, &sregs) < 0)
        return reason;
    vcpu_get_sregs(&vcpu, &sregs);
    return sregs.cr0 & CR0_PG ? NULL : reason;
}

/* Known deviations of the two hosts that this book is tested on, told aloud. */
static void look_at_host(void)
{
    char vendor[13] = "";
    unsigned eax;

    __cpuid(0x40000000, eax, *(unsigned *)vendor, *(unsigned *)(vendor + 4),
            *(unsigned *)(vendor + 8));
    forgets_p = strcmp(vendor, "TCGTCGTCGTCG") == 0;
    keeps_pml4_256 = access("/sys/module/kvm_pvm", F_OK) == 0;
    if (forgets_p)
        printf("note: QEMU's emulator clears P where a reserved bit is set; the manual sets it\n");
    if (keeps_pml4_256)
        printf("note: software KVM keeps PML4 entry 256 from ring 3; not compared there\n");
    if (!features.smep || !features.smap)
        printf("SKIP smep_and_smap: this host's KVM gives its guests neither; the other rules "
               "are compared without them\n");
}

int main(void)
{
    const char *no_kvm = harness_no_kvm(), *no_la57 = no_kvm, *no_32 = no_kvm;
    Suite *suite = suite_create("the walker against KVM and the processor");
    TCase *tests = tcase_create("random tables");

    if (!no_kvm) {
        setup();
        no_la57 = features.la57 ? pages_with(5, "this host's KVM refuses CR4.LA57")
                                : "this host's KVM gives its guests no CR4.LA57";
        no_32 = pages_with(2, "this host's KVM is software and pages in 64-bit mode only");
        look_at_host();
        teardown();
    }
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    harness_add(tests, two_levels_agree_with_kvm_translate, no_32);
    harness_add(tests, pae_agrees_with_kvm_translate, no_32);
    harness_add(tests, four_levels_agree_with_kvm_translate, no_kvm);
    harness_add(tests, five_levels_agree_with_kvm_translate, no_la57);
    harness_add(tests, two_levels_fault_as_the_processor_does, no_32);
    harness_add(tests, pae_faults_as_the_processor_does, no_32);
    harness_add(tests, four_levels_fault_as_the_processor_does, no_kvm);
    harness_add(tests, five_levels_fault_as_the_processor_does, no_la57);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
