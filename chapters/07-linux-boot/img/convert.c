/*
 * convert.c: vmm-img convert and compare: a disk, piece by piece, from one file into
 * another or beside it.
 *
 * Zeros are not written; the new file reads as zeros without them. Only regular files
 * are read: what cannot be sought (a pipe) has no size to begin with.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/img/img.h"
#include "common/bits.h"
#include "common/die.h"

#define CHUNK (2 * MIB) /* the largest cluster, so every cluster is whole in one */
#define PIECE 4096u     /* what is looked at for zeros, as qemu-img does */

enum { SAME = 0, DIFFERENT = 1, FAILED = 2 }; /* compare's status, as qemu-img's */

/* Where copied bytes go: an image, or a raw file that starts as one hole. */
struct target {
    struct qcow2 *qcow2;
    int fd;
    bool compressed;
    const char *name;
};

static void open_target(struct target *target, const char *format, struct qcow2_recipe *recipe)
{
    struct refusal why;

    if (strcmp(format, "qcow2") == 0) {
        if (qcow2_create(target->name, recipe, &why) < 0 ||
            qcow2_open(&target->qcow2, target->name, true, &why) < 0)
            die("%s: %s", target->name, why.text);
    } else if (strcmp(format, "raw") != 0) {
        die("-O %s: raw and qcow2 are supported", format);
    } else if (target->compressed || recipe->backing) {
        die("-O raw: only qcow2 is compressed (-c) or stands on another file");
    } else {
        img_make_raw(target->name, recipe->size);
        target->fd = open(target->name, O_WRONLY | O_CLOEXEC);
        if (target->fd < 0)
            die("%s: cannot open: %s", target->name, strerror(errno));
    }
}

static void write_target(struct target *target, uint64_t offset, const uint8_t *bytes, size_t size)
{
    int error = 0;

    if (target->qcow2)
        error = qcow2_write(target->qcow2, offset, bytes, size);
    else if (pwrite(target->fd, bytes, size, (off_t)offset) != (ssize_t)size)
        error = errno ? -errno : -EIO;
    if (error < 0)
        die("%s: writing at %" PRIu64 ": %s", target->name, offset, strerror(-error));
}

/* What is not zero, in runs of pieces. */
static void copy_runs(struct target *to, uint64_t at, const uint8_t *bytes, size_t size)
{
    for (size_t start = 0, end; start < size; start = end) {
        bool zero = img_all_zero(bytes + start, size - start < PIECE ? size - start : PIECE);

        for (end = start + PIECE; end < size; end += PIECE)
            if (img_all_zero(bytes + end, size - end < PIECE ? size - end : PIECE) != zero)
                break;
        if (end > size)
            end = size;
        if (!zero)
            write_target(to, at + start, bytes + start, end - start);
    }
}

/* Whole clusters, each a stream of its own; bytes are zero from size on. */
static void copy_clusters(struct target *to, uint64_t at, const uint8_t *bytes, size_t size)
{
    size_t cluster = qcow2_cluster_size(to->qcow2);

    for (size_t done = 0; done < size; done += cluster) {
        int error = img_all_zero(bytes + done, cluster)
                        ? 0
                        : qcow2_write_compressed(to->qcow2, at + done, bytes + done);

        if (error < 0)
            die("%s: writing at %" PRIu64 ": %s", to->name, at + done, strerror(-error));
    }
}

static void show_progress(bool wanted, uint64_t done, uint64_t size)
{
    if (!wanted)
        return;
    printf("    (%.2f/100%%)\r", size ? 100.0 * (double)done / (double)size : 100.0);
    if (done >= size)
        printf("\n");
    fflush(stdout);
}

static void copy(struct img_disk *from, struct target *to, uint64_t size, bool progress)
{
    static uint8_t buffer[CHUNK];

    for (uint64_t at = 0; at < size; at += sizeof buffer) {
        size_t length = size - at < sizeof buffer ? (size_t)(size - at) : sizeof buffer;
        int error = img_read(from, at, buffer, sizeof buffer);

        if (error < 0)
            die("reading at %" PRIu64 ": %s", at, strerror(-error));
        (to->compressed ? copy_clusters : copy_runs)(to, at, buffer, length);
        show_progress(progress, at + length, size);
    }
}

int img_convert(int argc, char **argv)
{
    const char *from_format = "raw", *to_format = "raw";
    struct target target = {.fd = -1};
    struct qcow2_recipe recipe = {0};
    struct img_disk disk;
    bool progress = false;
    int option;

    while ((option = getopt(argc, argv, "f:O:o:cpq")) != -1) {
        switch (option) {
        case 'f': from_format = optarg; break;
        case 'O': to_format = optarg; break;
        case 'o': img_options(optarg, &recipe); break;
        case 'c': target.compressed = true; break;
        case 'p': progress = true; break;
        case 'q': progress = false; break;
        default: return EXIT_FAILURE;
        }
    }
    if (argc - optind != 2)
        die("convert: say a file to read and one to make");
    if (recipe.backing)
        die("convert -o backing_file=%s: what is copied is whole; create makes overlays",
            recipe.backing);
    img_open(&disk, argv[optind], from_format);
    recipe.size = align_up(disk.size, 512);
    target.name = argv[optind + 1];
    open_target(&target, to_format, &recipe);
    copy(&disk, &target, recipe.size, progress);
    img_close(&disk);
    if (target.qcow2 ? qcow2_close(target.qcow2) < 0 : fsync(target.fd) < 0)
        die("%s: the last flush failed", target.name);
    return EXIT_SUCCESS;
}

/* The first byte that differs, or size. Beyond its end a smaller disk has zeros. */
static uint64_t first_difference(struct img_disk *a, struct img_disk *b, uint64_t size)
{
    static uint8_t left[CHUNK], right[CHUNK];

    for (uint64_t at = 0; at < size; at += CHUNK) {
        if (img_read(a, at, left, CHUNK) < 0 || img_read(b, at, right, CHUNK) < 0) {
            fprintf(stderr, "compare: cannot read at %" PRIu64 "\n", at);
            exit(FAILED);
        }
        if (memcmp(left, right, CHUNK) != 0)
            for (uint64_t i = 0;; i++)
                if (left[i] != right[i])
                    return at + i;
    }
    return size;
}

int img_compare(int argc, char **argv)
{
    const char *formats[2] = {"raw", "raw"};
    bool quiet = false, strict = false;
    struct img_disk disks[2];
    uint64_t size, at;
    int option;

    while ((option = getopt(argc, argv, "f:F:qs")) != -1) {
        switch (option) {
        case 'f': formats[0] = optarg; break;
        case 'F': formats[1] = optarg; break;
        case 'q': quiet = true; break;
        case 's': strict = true; break;
        default: return FAILED;
        }
    }
    if (argc - optind != 2) {
        fprintf(stderr, "compare: say two file names\n");
        return FAILED;
    }
    for (unsigned i = 0; i < 2; i++)
        img_open(&disks[i], argv[optind + (int)i], formats[i]);
    size = disks[0].size > disks[1].size ? disks[0].size : disks[1].size;
    at = first_difference(&disks[0], &disks[1], size);
    if (strict && disks[0].size != disks[1].size && at == size)
        at = disks[0].size < disks[1].size ? disks[0].size : disks[1].size;
    for (unsigned i = 0; i < 2; i++)
        img_close(&disks[i]);
    if (!quiet && at == size)
        printf("Images are identical.\n");
    else if (!quiet)
        printf("Content mismatch at offset %" PRIu64 "!\n", at);
    return at == size ? SAME : DIFFERENT;
}
