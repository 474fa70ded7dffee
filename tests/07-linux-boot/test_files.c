/* Files that are no kernels, or that change while we look. */
#define _GNU_SOURCE
#include "images.h"

#include <pthread.h>
#include <sys/inotify.h>
#include <sys/stat.h>

static struct image image;
static struct load result;

static void setup(void)
{
    bzimage_make(&image);
}

static void teardown(void)
{
    guest_memory_free(&result.memory);
}

static void boot(uint64_t ram, const char *initrd, const char *cmdline)
{
    file_of(image.bytes, image.size, result.path);
    load_request(&result, ram, result.path, initrd, cmdline);
}

static const struct {
    const char *name, *bytes;
} packed[] = {
    {"gzip", "\x1f\x8b\x08"}, {"xz", "\xfd\x37zXZ"},       {"zstd", "\x28\xb5\x2f\xfd"},
    {"bzip2", "BZh9"},        {"lz4", "\x04\x22\x4d\x18"}, {"old lz4", "\x02\x21\x4c\x18"},
};

START_TEST(a_packed_vmlinux_is_refused_with_a_hint)
{
    char expected[64];

    memset(image.bytes, 0, sizeof image.bytes);
    strcpy((char *)image.bytes, packed[_i].bytes);
    boot(BZ_RAM, NULL, "");
    snprintf(expected, sizeof expected, "contents: packed with %s and", packed[_i].name);
    check_refused(&result, packed[_i].name, result.path, expected);
    ck_assert_ptr_nonnull(strstr(result.why.text, "unpack it first"));
}
END_TEST

START_TEST(a_tiny_packed_file_is_refused_with_a_hint)
{
    image = (struct image){.bytes = "\x1f\x8b", .size = 2};
    boot(BZ_RAM, NULL, "");
    check_refused(&result, "two bytes of gzip", result.path, "contents: packed with gzip");
}
END_TEST

START_TEST(a_bzimage_that_begins_like_gzip_is_a_bzimage)
{
    image_set(&image, 0, 2, 0x8b1f);
    boot(BZ_RAM, NULL, "");
    ck_assert_int_eq(result.error, 0);
}
END_TEST

START_TEST(what_is_no_plain_file_is_refused)
{
    static const char *const names[] = {"/", "/dev/zero", "/nonexistent/kernel", ""};
    static const char *const reasons[] = {"not a regular file", "not a regular file", "cannot open",
                                          "cannot open"};

    load_request(&result, BZ_RAM, names[_i], NULL, "");
    check_refused(&result, "no file", names[_i], reasons[_i]);
}
END_TEST

START_TEST(a_fifo_is_refused_without_waiting)
{
    char folder[] = "/tmp/ring-XXXXXX", path[40];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    load_request(&result, BZ_RAM, path, NULL, "");
    unlink(path);
    rmdir(folder);
    check_refused(&result, "a fifo", path, "not a regular file");
}
END_TEST

START_TEST(a_long_path_loses_its_beginning_but_the_field_stays)
{
    char path[600];

    memset(path, 'd', sizeof path);
    strcpy(path + 500, "/vmlinuz");
    load_request(&result, BZ_RAM, path, NULL, "");
    ck_assert_int_lt(result.error, 0);
    ck_assert_int_eq(strncmp(result.why.text, "...dddd", 7), 0);
    ck_assert_ptr_nonnull(strstr(result.why.text, "ddd/vmlinuz: cannot open: "));
    ck_assert_uint_gt(strlen(result.why.text), sizeof result.why.text - 8);
}
END_TEST

START_TEST(no_descriptor_stays_open)
{
    char initrd_path[32];
    int before, after;

    file_of(image.bytes, image.size, result.path);
    file_of("initrd", 6, initrd_path);
    before = dup(0);
    close(before);
    for (unsigned i = 0; i < 4; i++) {
        load_request(&result, BZ_RAM, i == 1 ? "/" : result.path, i == 2 ? "/" : initrd_path,
                     i == 3 ? "" : "quiet");
        guest_memory_free(&result.memory);
    }
    image_set(&image, HEADER(boot_flag), 0);
    boot(BZ_RAM, NULL, "");
    after = dup(0);
    ck_assert_int_eq(after, before + 1); /* the new image's file, which is ours */
}
END_TEST

/*
 * Our own kernel tells what happened to the files. Equal events in a row count
 * once, so all kinds are watched: between two opens there is always a read.
 */
START_TEST(each_file_is_opened_once_and_never_written)
{
    _Alignas(struct inotify_event) char events[4096];
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    char kernel[] = "/tmp/ring-XXXXXX", initrd[] = "/tmp/ring-XXXXXX";
    int kernel_fd = mkstemp(kernel), initrd_fd = mkstemp(initrd);
    unsigned opens = 0, changes = 0;
    ssize_t size;

    ck_assert_int_ge(watch, 0);
    ck_assert_int_eq(write(kernel_fd, image.bytes, image.size), image.size);
    ck_assert_int_eq(write(initrd_fd, "initrd", 6), 6);
    ck_assert_int_ge(inotify_add_watch(watch, kernel, IN_ALL_EVENTS), 0);
    ck_assert_int_ge(inotify_add_watch(watch, initrd, IN_ALL_EVENTS), 0);

    load_request(&result, BZ_RAM, kernel, initrd, "");
    size = read(watch, events, sizeof events);
    unlink(kernel);
    unlink(initrd);
    ck_assert_int_eq(result.error, 0);
    for (ssize_t at = 0; at < size;) {
        const struct inotify_event *event = (const void *)(events + at);

        opens += event->mask == IN_OPEN;
        changes += (event->mask & (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE)) != 0;
        at += (ssize_t)(sizeof *event + event->len);
    }
    ck_assert_uint_eq(opens, 2);
    ck_assert_uint_eq(changes, 0);
}
END_TEST

/* Two kernels behind one name, swapped while we load: each load is wholly one. */

#define SWAPS 10000u

struct swapper {
    char name[48], files[2][48], next[48];
    bool done;
};

static void *swap(void *argument)
{
    struct swapper *swapper = argument;

    for (unsigned i = 0; i < SWAPS; i++) {
        if (symlink(swapper->files[i % 2], swapper->next) < 0 ||
            rename(swapper->next, swapper->name) < 0)
            abort();
    }
    __atomic_store_n(&swapper->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void write_kernel(const char *path, gpa_t start, uint8_t fill)
{
    FILE *file = fopen(path, "w");

    bzimage_make(&image);
    image_set(&image, HEADER(pref_address), start);
    memset(image.bytes + BZ_OFFSET, fill, BZ_PAYLOAD);
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(image.bytes, 1, image.size, file), image.size);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_kernel_swapped_while_it_loads_is_wholly_one_or_the_other)
{
    static const gpa_t starts[] = {8 * MIB, 16 * MIB};
    char folder[] = "/tmp/ring-XXXXXX";
    struct swapper swapper = {.done = false};
    unsigned seen[2] = {0, 0};
    pthread_t thread;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(swapper.name, sizeof swapper.name, "%s/kernel", folder);
    snprintf(swapper.next, sizeof swapper.next, "%s/next", folder);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(swapper.files[i], sizeof swapper.files[i], "%s/%u", folder, i);
        write_kernel(swapper.files[i], starts[i], (uint8_t)(i + 1));
    }
    ck_assert_int_eq(symlink(swapper.files[0], swapper.name), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, swap, &swapper), 0);

    unsigned mixed = 0, refused = 0;
    ram_make(&result.memory, BZ_RAM);
    while (!__atomic_load_n(&swapper.done, __ATOMIC_ACQUIRE)) {
        struct boot_request request = {
            .memory = &result.memory, .kernel = swapper.name, .cmdline = ""};
        uint8_t *bytes;
        unsigned which;

        if (boot_load(&request, &result.entry, &result.why) < 0) {
            refused++;
            continue;
        }
        which = result.entry.rip == starts[1] + 0x200;
        bytes = guest_ptr(&result.memory, starts[which], BZ_PAYLOAD);
        for (unsigned i = 0; i < BZ_PAYLOAD; i++)
            if (bytes[i] != which + 1) {
                mixed++;
                break;
            }
        memset(bytes, 0, BZ_PAYLOAD);
        seen[which]++;
    }
    pthread_join(thread, NULL);
    for (unsigned i = 0; i < 2; i++)
        unlink(swapper.files[i]);
    unlink(swapper.name);
    rmdir(folder);

    ck_assert_uint_eq(mixed, 0);
    ck_assert_uint_eq(refused, 0);
    ck_assert_msg(seen[0] > 0 && seen[1] > 0, "the race was not run: %u and %u loads", seen[0],
                  seen[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("files");
    TCase *tests = tcase_create("files");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_packed_vmlinux_is_refused_with_a_hint, 0, ARRAY_SIZE(packed));
    tcase_add_test(tests, a_tiny_packed_file_is_refused_with_a_hint);
    tcase_add_test(tests, a_bzimage_that_begins_like_gzip_is_a_bzimage);
    tcase_add_loop_test(tests, what_is_no_plain_file_is_refused, 0, 4);
    tcase_add_test(tests, a_fifo_is_refused_without_waiting);
    tcase_add_test(tests, a_long_path_loses_its_beginning_but_the_field_stays);
    tcase_add_test(tests, no_descriptor_stays_open);
    tcase_add_test(tests, each_file_is_opened_once_and_never_written);
    tcase_add_test(tests, a_kernel_swapped_while_it_loads_is_wholly_one_or_the_other);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
