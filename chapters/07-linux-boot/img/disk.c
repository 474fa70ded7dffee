/* disk.c: see img.h: disks that are read, and the words that describe them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/img/img.h"
#include "common/bits.h"
#include "common/die.h"

void img_open(struct img_disk *disk, const char *path, const char *format)
{
    struct refusal why;
    int error;

    *disk = (struct img_disk){.raw.fd = -1};
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

int img_read(struct img_disk *disk, uint64_t offset, void *buffer, size_t size)
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

void img_close(struct img_disk *disk)
{
    if (disk->qcow2)
        qcow2_close(disk->qcow2);
    else
        file_close(&disk->raw);
}

bool img_all_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

void img_make_raw(const char *path, uint64_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0)
        die("%s: cannot create: %s", path, strerror(errno));
    if (ftruncate(fd, (off_t)size) < 0)
        die("%s: cannot resize: %s", path, strerror(errno));
    close(fd);
}

uint64_t img_size(const char *text)
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
    if (value > INT64_MAX)
        die("size '%s': too large", text);
    return align_up(value, 512);
}

/* The value, if option is name=value. */
static char *value_of(char *option, const char *name)
{
    size_t length = strlen(name);

    return strncmp(option, name, length) == 0 && option[length] == '=' ? option + length + 1 : NULL;
}

/* Ways of qemu-img's that are ours anyway; any other value is refused by name. */
static bool is_our_way(char *option)
{
    static const struct {
        const char *name, *value;
    } ways[] = {{"compat", "1.1"},        {"compat", "v3"},        {"lazy_refcounts", "off"},
                {"preallocation", "off"}, {"refcount_bits", "16"}, {"compression_type", "zlib"},
                {"extended_l2", "off"},   {"encryption", "off"}};

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        const char *value = value_of(option, ways[i].name);

        if (value && strcmp(value, ways[i].value) == 0)
            return true;
    }
    return false;
}

void img_options(char *list, struct qcow2_recipe *recipe)
{
    char *rest;

    for (char *o = strtok_r(list, ",", &rest); o; o = strtok_r(NULL, ",", &rest)) {
        char *value;

        if ((value = value_of(o, "cluster_size"))) {
            uint64_t size = img_size(value);

            if (!is_power_of_two(size))
                die("-o %s: not a power of two", o);
            recipe->cluster_bits = (unsigned)__builtin_ctzll(size);
        } else if ((value = value_of(o, "backing_file"))) {
            recipe->backing = value;
        } else if ((value = value_of(o, "backing_fmt"))) {
            recipe->backing_format = value;
        } else if (!is_our_way(o)) {
            die("-o %s: not supported; cluster_size=N, backing_file=FILE and backing_fmt=FORMAT "
                "are",
                o);
        }
    }
}

bool img_json(const char *format)
{
    if (strcmp(format, "json") != 0 && strcmp(format, "human") != 0)
        die("--output=%s: json or human", format);
    return strcmp(format, "json") == 0;
}

void img_json_string(const char *name, const char *text)
{
    printf(",\n    \"%s\": \"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ')
            printf("\\u%04x", *text);
        else
            putchar(*text);
    }
    putchar('"');
}
