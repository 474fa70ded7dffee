/*
 * Kernels with random damage: each loads as its header says, or is refused in words.
 *
 * Half of the damage hits the fields, the rest anything in the first 4 KiB. The
 * sequence depends on the printed seed alone (SEED=0x... runs another one). Guest
 * memory is reused; what a load must not touch is looked at from time to time.
 */
#define _GNU_SOURCE
#include "images.h"

#include <fcntl.h>

#include "07-linux-boot/multiboot.h"

#define MUTATIONS      100000u /* of a real kernel and of an ELF file */
#define MUTATIONS_MADE 20000u  /* of a bzImage made here, so that some run without one */
#define HEAD           4096u
#define MULTIBOOT_AT   0x40u /* the header, in the file made here */

static uint64_t state = UINT64_C(0x52494e472d31);

/* xorshift64: no more than a long sequence that is the same everywhere */
static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t pick_value(void)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0xfffff,
        0x100000,
        0x200000,
        0x1000000,
        BIT(32),
        BIT(63),
        UINT64_MAX,
        UINT64_MAX - 0xfff,
    };

    return next() % 2 ? next() : edges[next() % ARRAY_SIZE(edges)];
}

/* A kernel, how its fields lie, and a file that receives the damaged copies. */
struct subject {
    struct image good;
    size_t fields_start, fields_end;
    uint64_t ram;
    int fd;
    char path[32];
    struct guest_memory memory;
    unsigned loaded, refused;
    bool linux_only; /* each load writes the same places */
};

static void open_subject(struct subject *subject, size_t start, size_t end, uint64_t ram)
{
    const char *seed = getenv("SEED");

    if (seed)
        state = strtoull(seed, NULL, 0);
    printf("seed 0x%lx\n", state);
    subject->fields_start = start;
    subject->fields_end = end;
    subject->ram = ram;
    subject->fd = file_of(subject->good.bytes, subject->good.size, subject->path);
    ram_make(&subject->memory, ram);
}

/* What must hold of any kernel that loads, seen in the damaged file itself. */
static void check_bzimage(const struct subject *subject, const struct image *bad,
                          const struct boot_entry *entry)
{
    const struct boot_params *page = guest_ptr(&subject->memory, entry->rsi, sizeof *page);
    struct setup_header header;
    uint64_t size, offset;
    gpa_t start = entry->rip - 0x200;

    memcpy(&header, bad->bytes + SETUP_HEADER_START, sizeof header);
    size = (uint64_t)header.syssize * 16;
    offset = ((header.setup_sects ? header.setup_sects : 4) + 1) * 512u;
    ck_assert_uint_ge(start, MIB);
    ck_assert(fits(offset, size, bad->size));
    ck_assert(fits(start, header.init_size, subject->ram));
    ck_assert_mem_eq(guest_ptr(&subject->memory, start, size), bad->bytes + offset, size);
    ck_assert_uint_eq(page->hdr.setup_data, 0);
    ck_assert_uint_eq(page->hdr.ramdisk_size, 0);
    ck_assert_uint_eq(page->hdr.syssize, header.syssize);
    ck_assert_uint_eq(page->edd_mbr_sig_buffer[0], 0);
}

static void check_elf(const struct subject *subject, const struct image *bad,
                      const struct boot_entry *entry)
{
    Elf64_Ehdr header;
    bool entered = false;

    memcpy(&header, bad->bytes, sizeof header);
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;

        memcpy(&segment, bad->bytes + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_LOAD || segment.p_memsz == 0)
            continue;
        ck_assert_uint_ge(segment.p_paddr, MIB);
        ck_assert_ptr_nonnull(guest_ptr(&subject->memory, segment.p_paddr, segment.p_memsz));
        ck_assert_mem_eq(guest_ptr(&subject->memory, segment.p_paddr, segment.p_filesz),
                         bad->bytes + segment.p_offset, segment.p_filesz);
        entered |= entry->rip - segment.p_paddr < segment.p_filesz;
    }
    ck_assert(entered);
}

/* The addresses that the header names are in RAM, and hold the file's bytes. */
static void check_multiboot(const struct subject *subject, const struct image *bad,
                            const struct boot_entry *entry)
{
    struct multiboot_header header;
    uint64_t size, from;

    ck_assert_uint_eq(entry->rax, 0x2badb002);
    ck_assert_uint_ge(entry->rip, MIB);
    memcpy(&header, bad->bytes + MULTIBOOT_AT, sizeof header);
    if (header.magic != 0x1badb002 || !(header.flags & MULTIBOOT_HAS_ADDRESSES))
        return; /* a header elsewhere, or an ELF file's: too unlikely to be worth more */
    from = MULTIBOOT_AT - (header.header_addr - header.load_addr);
    size = header.load_end_addr ? header.load_end_addr - header.load_addr : bad->size - from;
    ck_assert(fits(from, size, bad->size));
    ck_assert_uint_lt(entry->rip - header.load_addr, size);
    ck_assert(fits(header.load_addr, size, subject->ram));
    ck_assert_uint_le(header.bss_end_addr, subject->ram);
    ck_assert_mem_eq(guest_ptr(&subject->memory, header.load_addr, size), bad->bytes + from, size);
}

typedef void check_fn(const struct subject *, const struct image *, const struct boot_entry *);

static void damage(const struct subject *subject, struct image *bad)
{
    size_t head = subject->good.size < HEAD ? subject->good.size : HEAD;

    for (unsigned hits = 1 + next() % 3; hits > 0; hits--) {
        uint64_t value = pick_value();
        size_t width = (size_t)1 << next() % 4;
        size_t low = next() % 2 ? subject->fields_start : 0;
        size_t high = low ? subject->fields_end : head;

        memcpy(bad->bytes + low + next() % (high - low - width + 1), &value, width);
    }
}

static void try_one(struct subject *subject, const struct image *bad, check_fn *check)
{
    struct boot_request request = {
        .memory = &subject->memory, .kernel = subject->path, .cmdline = "quiet"};
    struct load load = {.memory = subject->memory};

    ck_assert_int_eq(pwrite(subject->fd, bad->bytes, HEAD, 0), HEAD);
    load.error = boot_load(&request, &load.entry, &load.why);
    if (load.error < 0) {
        check_refused(&load, "damage", subject->path, "");
        ck_assert_uint_gt(strlen(load.why.text), strlen(subject->path) + 10);
        subject->refused++;
        return;
    }
    check(subject, bad, &load.entry);
    if (subject->loaded++ % 1024 == 0 && subject->linux_only)
        check_low_memory(&load, "damage");
}

static void run(struct subject *subject, unsigned mutations, check_fn *check)
{
    static struct image bad;

    for (unsigned i = 0; i < mutations; i++) {
        bad = subject->good;
        damage(subject, &bad);
        try_one(subject, &bad, check);
    }
    printf("%u loaded, %u refused\n", subject->loaded, subject->refused);
    ck_assert_uint_gt(subject->loaded, mutations / 50); /* or we test only refusals */
    ck_assert_uint_gt(subject->refused, mutations / 50);
    guest_memory_free(&subject->memory);
}

static struct subject subject;

START_TEST(a_damaged_bzimage_loads_as_it_says_or_is_refused)
{
    bzimage_make(&subject.good);
    subject.linux_only = true;
    open_subject(&subject, SETUP_HEADER_START, 0x26c, BZ_RAM);
    run(&subject, MUTATIONS_MADE, check_bzimage);
}
END_TEST

START_TEST(a_damaged_elf_kernel_loads_as_it_says_or_is_refused)
{
    elf_make(&subject.good);
    subject.linux_only = true;
    open_subject(&subject, 8, ELF_PHOFF + 3 * sizeof(Elf64_Phdr), ELF_RAM);
    run(&subject, MUTATIONS, check_elf);
}
END_TEST

/* The same file with a note for PVH, which the damage hits, too. */
START_TEST(a_damaged_pvh_kernel_loads_as_it_says_or_is_refused)
{
    static const uint32_t note[] = {4, 4, 18, 0x006e6558, ELF_TEXT + 0x200};
    const size_t at = ELF_PHOFF + 3 * sizeof(Elf64_Phdr);

    elf_make(&subject.good);
    memcpy(subject.good.bytes + at, note, sizeof note);
    image_set(&subject.good, PHDR(2, p_offset), at);
    image_set(&subject.good, PHDR(2, p_filesz), sizeof note);
    open_subject(&subject, 8, at + sizeof note, ELF_RAM);
    run(&subject, MUTATIONS_MADE, check_elf);
}
END_TEST

START_TEST(a_damaged_multiboot_kernel_loads_as_it_says_or_is_refused)
{
    const struct multiboot_header header = {.magic = 0x1badb002,
                                            .flags = 0x00010003,
                                            .checksum = -(0x1badb002 + 0x00010003),
                                            .header_addr = 2 * MIB + MULTIBOOT_AT,
                                            .load_addr = 2 * MIB,
                                            .load_end_addr = 2 * MIB + 0x3000,
                                            .bss_end_addr = 2 * MIB + 0x4000,
                                            .entry_addr = 2 * MIB + 0x100};

    bzimage_make(&subject.good); /* any bytes will do, but for these: */
    memset(subject.good.bytes + SETUP_HEADER_START, 0xff, sizeof(struct setup_header));
    subject.good.size = 0x3000;
    memcpy(subject.good.bytes + MULTIBOOT_AT, &header, sizeof header);
    open_subject(&subject, MULTIBOOT_AT + 12, MULTIBOOT_AT + sizeof header, 8 * MIB);
    run(&subject, MUTATIONS_MADE, check_multiboot);
}
END_TEST

/* The real header and setup code; of the payload only what makes it quick. */
#define REAL_KERNEL  "build/kernels/cloud/vmlinuz"
#define REAL_PAYLOAD 8192u

START_TEST(a_damaged_debian_kernel_loads_as_it_says_or_is_refused)
{
    int fd = open(REAL_KERNEL, O_RDONLY | O_CLOEXEC);
    size_t setup;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(read(fd, subject.good.bytes, sizeof subject.good.bytes), 1024);
    close(fd);
    setup = (subject.good.bytes[SETUP_HEADER_START] + 1u) * 512;
    subject.good.size = setup + REAL_PAYLOAD;
    ck_assert_uint_le(subject.good.size, sizeof subject.good.bytes);
    image_set(&subject.good, HEADER(syssize), REAL_PAYLOAD / 16);
    subject.linux_only = true;
    open_subject(&subject, SETUP_HEADER_START, 0x26c, 128 * MIB);
    run(&subject, MUTATIONS, check_bzimage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("damaged kernels");
    TCase *tests = tcase_create("mutations");
    const char *reason = "no " REAL_KERNEL " (common/kernel cloud fetches it)";

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_damaged_bzimage_loads_as_it_says_or_is_refused);
    tcase_add_test(tests, a_damaged_elf_kernel_loads_as_it_says_or_is_refused);
    tcase_add_test(tests, a_damaged_pvh_kernel_loads_as_it_says_or_is_refused);
    tcase_add_test(tests, a_damaged_multiboot_kernel_loads_as_it_says_or_is_refused);
    harness_add(tests, a_damaged_debian_kernel_loads_as_it_says_or_is_refused,
                access(REAL_KERNEL, R_OK) == 0 ? NULL : reason);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
