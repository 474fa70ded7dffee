/*
 * info.c: vmm-img info: what a file says of itself, for people or as JSON in the words
 * of `qemu-img info --output=json`, for the scripts that read those.
 *
 * Here alone the format is looked for in the file: no data is read by it.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-linux-boot/img/img.h"
#include "07-linux-boot/qcow2/header.h"
#include "common/die.h"

struct facts {
    const char *path;
    bool qcow2;
    uint64_t size, on_disk;
    struct qcow2_header header; /* of a qcow2 file */
};

static void look(struct facts *facts, const char *path, const char *format)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint32_t magic = 0;
    struct refusal why;
    struct stat stat;

    *facts = (struct facts){.path = path};
    if (fd < 0 || fstat(fd, &stat) < 0)
        die("%s: cannot open: %s", path, strerror(errno));
    if (!S_ISREG(stat.st_mode))
        die("%s: not a regular file", path);
    if (format && strcmp(format, "raw") != 0 && strcmp(format, "qcow2") != 0)
        die("format '%s': raw and qcow2 are supported", format);
    facts->qcow2 = format ? strcmp(format, "qcow2") == 0
                          : pread(fd, &magic, sizeof magic, 0) == sizeof magic &&
                                be32toh(magic) == QCOW2_MAGIC;
    facts->size = (uint64_t)stat.st_size;
    facts->on_disk = (uint64_t)stat.st_blocks * 512;
    if (facts->qcow2) {
        if (qcow2_header_read(fd, (uint64_t)stat.st_size, false, &facts->header, &why) < 0)
            die("%s: %s", path, why.text);
        facts->size = facts->header.size;
    }
    close(fd);
}

static void for_people(const struct facts *f)
{
    const struct qcow2_header *h = &f->header;

    printf("image: %s\nfile format: %s\nvirtual size: %" PRIu64 " bytes\ndisk size: %" PRIu64
           " bytes\n",
           f->path, f->qcow2 ? "qcow2" : "raw", f->size, f->on_disk);
    if (!f->qcow2)
        return;
    printf("cluster_size: %u\n", 1u << h->cluster_bits);
    if (h->backing[0])
        printf("backing file: %s\nbacking file format: %s\n", h->backing,
               h->backing_format[0] ? h->backing_format : "(not given)");
    printf("refcount bits: %u\nsnapshots: %u\ndirty: %s\ncorrupt: %s\n", 1u << h->refcount_order,
           h->snapshots, h->incompatible & QCOW2_DIRTY ? "yes" : "no",
           h->incompatible & QCOW2_CORRUPT ? "yes" : "no");
}

static void for_scripts(const struct facts *f)
{
    const struct qcow2_header *h = &f->header;

    printf("{\n    \"virtual-size\": %" PRIu64, f->size);
    img_json_string("filename", f->path);
    img_json_string("format", f->qcow2 ? "qcow2" : "raw");
    printf(",\n    \"actual-size\": %" PRIu64, f->on_disk);
    printf(",\n    \"dirty-flag\": %s", h->incompatible & QCOW2_DIRTY ? "true" : "false");
    if (f->qcow2) {
        printf(",\n    \"cluster-size\": %u", 1u << h->cluster_bits);
        if (h->backing[0])
            img_json_string("backing-filename", h->backing);
        if (h->backing_format[0])
            img_json_string("backing-filename-format", h->backing_format);
        printf(",\n    \"format-specific\": {\"type\": \"qcow2\", \"data\": {\"compat\": \"1.1\", "
               "\"compression-type\": \"zlib\", \"lazy-refcounts\": false, "
               "\"refcount-bits\": %u, \"corrupt\": %s, \"extended-l2\": false}}",
               1u << h->refcount_order, h->incompatible & QCOW2_CORRUPT ? "true" : "false");
    }
    printf("\n}\n");
}

int img_info(int argc, char **argv)
{
    static const struct option words[] = {{"output", required_argument, NULL, 'J'}, {0}};
    const char *format = NULL;
    bool json = false;
    struct facts facts;
    int option;

    while ((option = getopt_long(argc, argv, "f:", words, NULL)) != -1) {
        switch (option) {
        case 'f': format = optarg; break;
        case 'J': json = img_json(optarg); break;
        default: return EXIT_FAILURE;
        }
    }
    if (argc - optind != 1)
        die("info: say a file name");
    look(&facts, argv[optind], format);
    (json ? for_scripts : for_people)(&facts);
    return EXIT_SUCCESS;
}
