/*
 * fuzz_qcow2.c: any file as a qcow2 image. An input begins with eight operations of four
 * bytes (kind, size, place); the rest is the file. What cannot be done is an error, never
 * a byte beyond a buffer. A file that stands on another one is refused its name here: the
 * names that a fuzzer thinks of could be those of this computer's files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "07-linux-boot/qcow2/check.h"
#include "07-linux-boot/qcow2/format.h"
#include "07-linux-boot/qcow2/image.h"
#include "common/bits.h"

#define OPERATIONS 8u
#define SCRIPT     (4 * OPERATIONS)

#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

static uint8_t buffer[128 * KIB];

static void operate(struct qcow2 *image, const uint8_t operation[4])
{
    uint64_t disk = qcow2_size(image), place = operation[2] | (unsigned)operation[3] << 8;
    size_t size = ((size_t)operation[1] + 1) * 64;
    uint64_t offset = operation[0] & 0x80 ? disk - place * 512 : place * 512;
    int error = 0;

    switch (operation[0] & 7) {
    case 0:
    case 1: error = qcow2_read(image, offset, buffer, size); break;
    case 2:
    case 3: error = qcow2_write(image, offset, buffer, size); break;
    case 4: error = qcow2_write_zeroes(image, offset, size * 64); break;
    case 5: error = qcow2_discard(image, offset, size * 64); break;
    default: error = qcow2_flush(image);
    }
    must(error <= 0);
}

/* Has the header a name of a backing file? [QCOW2, "Header"]: 8 bytes at offset 8. */
static bool has_backing(const uint8_t *file, size_t size)
{
    static const uint8_t none[8];

    return size >= 16 && memcmp(file + 8, none, sizeof none) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct qcow2 *image;
    struct qcow2_check result;
    struct refusal why = {.text = ""};
    char path[32];
    int fd;

    if (size < SCRIPT || has_backing(bytes + SCRIPT, size - SCRIPT))
        return 0;
    fd = memfd_create("image", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, bytes + SCRIPT, size - SCRIPT) == (ssize_t)(size - SCRIPT));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (qcow2_open(&image, path, bytes[0] & 0x40, &why) == 0) {
        for (unsigned i = 0; i < OPERATIONS; i++)
            operate(image, bytes + 4u * i);
        qcow2_close(image);
    } else {
        must(strlen(why.text) > 0 && !strchr(why.text, '\n'));
    }
    qcow2_check(path, bytes[0] & 0x20 ? QCOW2_REPAIR_ALL : QCOW2_REPAIR_NONE, NULL, &result, &why);
    close(fd);
    return 0;
}
