/*
 * fuzz_kernel.c: any file as a kernel: a bzImage, an ELF file, one for PVH or Multiboot.
 * It is loaded or refused with one line; RAM is all that may be written.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "07-linux-boot/boot.h"
#include "common/bits.h"

#define RAM (32 * MIB)

#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct guest_memory memory = {.count = 0};
    struct boot_request request = {.memory = &memory, .cmdline = "console=ttyS0"};
    struct boot_entry entry;
    struct refusal why = {.text = ""};
    char path[32];
    int fd = memfd_create("kernel", MFD_CLOEXEC);

    must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    must(guest_memory_add(&memory, 0, RAM) == 0);
    request.kernel = path;
    if (boot_load(&request, &entry, &why) < 0)
        must(strlen(why.text) > 0 && !strchr(why.text, '\n'));
    guest_memory_free(&memory);
    close(fd);
    return 0;
}
