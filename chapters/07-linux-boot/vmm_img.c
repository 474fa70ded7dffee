/*
 * vmm_img.c: vmm-img makes, describes, checks and copies disk images. Its commands and
 * letters are qemu-img's, so that what one knows carries over:
 *
 *     vmm-img create -f qcow2 [-b FILE -F FORMAT] [-o cluster_size=N] FILE [SIZE]
 *     vmm-img info FILE
 *     vmm-img check [-r leaks|all] FILE          0 good, 2 corrupt, 3 leaks
 *     vmm-img convert [-f FORMAT] -O FORMAT FROM TO
 *     vmm-img commit FILE                        into the file underneath
 *     vmm-img resize FILE SIZE
 *
 * What qemu-img would overwrite (an existing file) is refused here.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-linux-boot/qcow2/check.h"
#include "07-linux-boot/qcow2/create.h"
#include "07-linux-boot/qcow2/header.h"
#include "common/bits.h"
#include "common/die.h"
#include "common/file.h"

#define CHUNK MIB

enum { STATUS_CORRUPT = 2, STATUS_LEAKS = 3 }; /* as qemu-img's */

/* "10G": bytes, or with K, M, G, T the power of 1024. */
static uint64_t parse_size(const char *text)
{
    static const char units[] = "KMGT";
    char *end;
    unsigned long long value;
    const char *unit;

    errno = 0;
    value = strtoull(text, &end, 10);
    unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
    if (errno || end == text || *text == '-' || (*end && (!unit || end[1])))
        die("size '%s': say a number of bytes, or one with K, M, G or T", text);
    for (long i = unit ? unit - units + 1 : 0; i > 0; i--) {
        if (value > INT64_MAX / 1024)
            die("size '%s': too large", text);
        value *= 1024;
    }
    return align_up(value, 512);
}

/* A disk to read, in either format. */
struct disk {
    struct qcow2 *qcow2;
    struct file raw;
    uint64_t size;
};

static void open_disk(struct disk *disk, const char *path, const char *format)
{
    struct refusal why;
    int error;

    *disk = (struct disk){.raw.fd = -1};
    if (strcmp(format, "qcow2") == 0) {
        error = qcow2_open(&disk->qcow2, path, false, &why);
        disk->size = error < 0 ? 0 : qcow2_size(disk->qcow2);
    } else if (strcmp(format, "raw") == 0) {
        error = file_open(&disk->raw, path, &why);
        disk->size = disk->raw.size;
    } else {
        die("format '%s': raw and qcow2 are supported", format);
    }
    if (error < 0)
        die("%s: %s", path, why.text);
}

static int read_disk(struct disk *disk, uint64_t offset, void *buffer, size_t size)
{
    size_t there = offset >= disk->size         ? 0
                   : size > disk->size - offset ? (size_t)(disk->size - offset)
                                                : size;
    struct refusal why;

    memset((uint8_t *)buffer + there, 0, size - there);
    if (disk->qcow2)
        return qcow2_read(disk->qcow2, offset, buffer, there);
    return file_read(&disk->raw, offset, buffer, there, &why);
}

static void close_disk(struct disk *disk)
{
    if (disk->qcow2)
        qcow2_close(disk->qcow2);
    else
        file_close(&disk->raw);
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* ---- create ---- */

static uint64_t backing_size(const char *image, const char *name, const char *format)
{
    const char *slash = strrchr(image, '/');
    char path[4096];
    struct disk disk;

    if (name[0] == '/' || !slash)
        snprintf(path, sizeof path, "%s", name);
    else
        snprintf(path, sizeof path, "%.*s/%s", (int)(slash - image), image, name);
    open_disk(&disk, path, format);
    close_disk(&disk);
    return align_up(disk.size, 512);
}

static unsigned parse_cluster_size(const char *option)
{
    static const char key[] = "cluster_size=";
    uint64_t size;

    if (strncmp(option, key, sizeof key - 1) != 0)
        die("-o %s: only cluster_size=N is supported", option);
    size = parse_size(option + sizeof key - 1);
    if (!is_power_of_two(size))
        die("-o %s: not a power of two", option);
    return (unsigned)__builtin_ctzll(size);
}

static void make_raw(const char *path, uint64_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0)
        die("%s: cannot create: %s", path, strerror(errno));
    if (ftruncate(fd, (off_t)size) < 0)
        die("%s: cannot resize: %s", path, strerror(errno));
    close(fd);
}

static int create(int argc, char **argv)
{
    struct qcow2_recipe recipe = {0};
    const char *format = "raw", *path;
    struct refusal why;
    int option;

    while ((option = getopt(argc, argv, "f:b:F:o:")) != -1) {
        switch (option) {
        case 'f': format = optarg; break;
        case 'b': recipe.backing = optarg; break;
        case 'F': recipe.backing_format = optarg; break;
        case 'o': recipe.cluster_bits = parse_cluster_size(optarg); break;
        default: return EXIT_FAILURE;
        }
    }
    if (argc - optind < 1 || argc - optind > 2)
        die("create: say a file name and a size");
    path = argv[optind];
    if (recipe.backing && !recipe.backing_format)
        die("-b %s: say its format with -F raw or -F qcow2; it is never guessed", recipe.backing);
    if (argc - optind == 2)
        recipe.size = parse_size(argv[optind + 1]);
    else if (recipe.backing)
        recipe.size = backing_size(path, recipe.backing, recipe.backing_format);
    else
        die("create: say a size");
    if (recipe.backing)
        backing_size(path, recipe.backing, recipe.backing_format); /* is it there? */

    if (strcmp(format, "raw") == 0 && !recipe.backing)
        make_raw(path, recipe.size);
    else if (strcmp(format, "qcow2") != 0)
        die("-f %s: %s", format,
            recipe.backing ? "only qcow2 stands on another file" : "raw and qcow2 are supported");
    else if (qcow2_create(path, &recipe, &why) < 0)
        die("%s: %s", path, why.text);
    return EXIT_SUCCESS;
}

/* ---- info, check, resize ---- */

static int info(int argc, char **argv)
{
    struct qcow2_header header;
    struct refusal why;
    struct stat stat;
    int fd;

    if (argc != 2)
        die("info: say a file name");
    fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) < 0)
        die("%s: cannot open: %s", argv[1], strerror(errno));
    if (qcow2_header_read(fd, (uint64_t)stat.st_size, false, &header, &why) < 0)
        die("%s: %s", argv[1], why.text);
    close(fd);
    printf("image: %s\nfile format: qcow2\nvirtual size: %" PRIu64 " bytes\n", argv[1],
           header.size);
    printf("disk size: %" PRIu64 " bytes\ncluster_size: %u\n", (uint64_t)stat.st_blocks * 512,
           1u << header.cluster_bits);
    if (header.backing[0])
        printf("backing file: %s\nbacking file format: %s\n", header.backing,
               header.backing_format[0] ? header.backing_format : "(not given)");
    printf("refcount bits: %u\nsnapshots: %u\ndirty: %s\ncorrupt: %s\n",
           1u << header.refcount_order, header.snapshots,
           header.incompatible & QCOW2_DIRTY ? "yes" : "no",
           header.incompatible & QCOW2_CORRUPT ? "yes" : "no");
    return EXIT_SUCCESS;
}

static int check(int argc, char **argv)
{
    enum qcow2_repair repair = QCOW2_REPAIR_NONE;
    struct qcow2_check result;
    struct refusal why;
    int option;

    while ((option = getopt(argc, argv, "r:")) != -1) {
        if (option != 'r' || (strcmp(optarg, "all") != 0 && strcmp(optarg, "leaks") != 0))
            die("check: -r takes leaks or all");
        repair = strcmp(optarg, "all") == 0 ? QCOW2_REPAIR_ALL : QCOW2_REPAIR_LEAKS;
    }
    if (argc - optind != 1)
        die("check: say a file name");
    if (qcow2_check(argv[optind], repair, stdout, &result, &why) < 0)
        die("%s: %s", argv[optind], why.text);
    if (result.corruptions + result.leaks == 0)
        printf("No errors were found on the image.\n");
    else
        printf("%" PRIu64 " errors, %" PRIu64 " leaked clusters\n", result.corruptions,
               result.leaks);
    printf("%" PRIu64 "/%" PRIu64 " clusters allocated, %" PRIu64 " compressed\n", result.data,
           result.clusters, result.compressed);
    return result.corruptions ? STATUS_CORRUPT : result.leaks ? STATUS_LEAKS : EXIT_SUCCESS;
}

static int resize(int argc, char **argv)
{
    struct qcow2 *image;
    struct refusal why;

    if (argc != 3)
        die("resize: say a file name and a size");
    if (qcow2_open(&image, argv[1], true, &why) < 0)
        die("%s: %s", argv[1], why.text);
    if (qcow2_resize(image, parse_size(argv[2]), &why) < 0) {
        qcow2_close(image);
        die("%s: %s", argv[1], why.text);
    }
    return qcow2_close(image) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- convert, commit ---- */

/* Where copied bytes go: an image, or a raw file that starts as one hole. */
struct target {
    struct qcow2 *qcow2;
    int fd;
};

static int write_target(struct target *target, uint64_t offset, const uint8_t *buffer, size_t size)
{
    if (target->qcow2)
        return qcow2_write(target->qcow2, offset, buffer, size);
    return pwrite(target->fd, buffer, size, (off_t)offset) == (ssize_t)size ? 0 : -errno;
}

/* Copies what is not zero, in pieces of 4 KiB; the target reads as zeros elsewhere. */
static void copy(struct disk *from, struct target *to, uint64_t size, const char *name)
{
    enum { PIECE = 4096 };
    static uint8_t buffer[CHUNK];

    for (uint64_t at = 0; at < size; at += sizeof buffer) {
        size_t length = size - at < sizeof buffer ? (size_t)(size - at) : sizeof buffer;
        int error = read_disk(from, at, buffer, length);

        if (error < 0)
            die("reading at %" PRIu64 ": %s", at, strerror(-error));
        for (size_t start = 0, end; start < length; start = end) {
            bool zero = all_zero(buffer + start, length - start < PIECE ? length - start : PIECE);

            for (end = start + PIECE; end < length; end += PIECE)
                if (all_zero(buffer + end, length - end < PIECE ? length - end : PIECE) != zero)
                    break;
            if (end > length)
                end = length;
            error = zero ? 0 : write_target(to, at + start, buffer + start, end - start);
            if (error < 0)
                die("%s: writing at %" PRIu64 ": %s", name, at + start, strerror(-error));
        }
    }
}

static int convert(int argc, char **argv)
{
    const char *from_format = "raw", *to_format = "raw", *from, *to;
    struct qcow2_recipe recipe = {0};
    struct target target = {.fd = -1};
    struct disk disk;
    struct refusal why;
    uint64_t size;
    int option;

    while ((option = getopt(argc, argv, "f:O:o:")) != -1) {
        switch (option) {
        case 'f': from_format = optarg; break;
        case 'O': to_format = optarg; break;
        case 'o': recipe.cluster_bits = parse_cluster_size(optarg); break;
        default: return EXIT_FAILURE;
        }
    }
    if (argc - optind != 2)
        die("convert: say a file to read and one to make");
    from = argv[optind], to = argv[optind + 1];
    open_disk(&disk, from, from_format);
    size = recipe.size = align_up(disk.size, 512);
    if (strcmp(to_format, "qcow2") == 0) {
        if (qcow2_create(to, &recipe, &why) < 0 || qcow2_open(&target.qcow2, to, true, &why) < 0)
            die("%s: %s", to, why.text);
    } else if (strcmp(to_format, "raw") == 0) {
        make_raw(to, size);
        target.fd = open(to, O_WRONLY | O_CLOEXEC);
        if (target.fd < 0)
            die("%s: cannot open: %s", to, strerror(errno));
    } else {
        die("-O %s: raw and qcow2 are supported", to_format);
    }
    copy(&disk, &target, size, to);
    close_disk(&disk);
    if (target.qcow2 ? qcow2_close(target.qcow2) < 0 : fsync(target.fd) < 0)
        die("%s: the last flush failed", to);
    return EXIT_SUCCESS;
}

static int commit(int argc, char **argv)
{
    struct refusal why;

    if (argc != 2)
        die("commit: say a file name");
    if (qcow2_commit(argv[1], &why) < 0)
        die("%s: %s", argv[1], why.text);
    printf("Image committed.\n");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"create", create},   {"info", info},     {"check", check},
                    {"convert", convert}, {"commit", commit}, {"resize", resize}};

    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        printf("usage: vmm-img create -f raw|qcow2 [-b FILE -F FORMAT] [-o cluster_size=N] FILE "
               "[SIZE]\n"
               "       vmm-img info FILE\n"
               "       vmm-img check [-r leaks|all] FILE     (0 good, 2 errors, 3 leaks)\n"
               "       vmm-img convert [-f FORMAT] -O FORMAT [-o cluster_size=N] FROM TO\n"
               "       vmm-img commit FILE                   (into the file underneath)\n"
               "       vmm-img resize FILE SIZE\n");
        return argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    die("no command '%s'; see vmm-img --help", argv[1]);
}
