/*
 * img.h: what vmm-img's commands share. Each takes its words as main() does, argv[0]
 * being its name, and returns the program's status; what cannot be done ends the
 * program with one line.
 */
#ifndef CHAPTER_07_IMG_H
#define CHAPTER_07_IMG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "07-linux-boot/qcow2/create.h"
#include "07-linux-boot/qcow2/image.h"
#include "common/file.h"

int img_info(int argc, char **argv);
int img_convert(int argc, char **argv);
int img_compare(int argc, char **argv);

/* ---- disk.c ---- */

/* A disk to read, in either format. */
struct img_disk {
    struct qcow2 *qcow2; /* NULL: raw */
    struct file raw;
    uint64_t size;
};

void img_open(struct img_disk *disk, const char *path, const char *format);
void img_close(struct img_disk *disk);

/* Past the end there are zeros. 0 or -errno. */
int img_read(struct img_disk *disk, uint64_t offset, void *buffer, size_t size);

bool img_all_zero(const uint8_t *bytes, size_t size);

/* A raw file of zeros that is not there yet. */
void img_make_raw(const char *path, uint64_t size);

/* "10G": bytes, or with K, M, G, T the power of 1024; rounded up to sectors. */
uint64_t img_size(const char *text);

/* The argument of -o, "name=value,...", in qemu-img's words. It is changed. */
void img_options(char *list, struct qcow2_recipe *recipe);

/* The argument of --output: is it json? */
bool img_json(const char *format);

/* One more member of an object. A text from a file is a stranger's: it is escaped. */
void img_json_string(const char *name, const char *text);

#endif
