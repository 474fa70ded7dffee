/*
 * boot.h: from the names on the command line to a guest ready to run.
 *
 * boot_load() opens the kernel, tells by its content what it is (a bzImage, an ELF
 * vmlinux, a kernel for PVH or for Multiboot), reads it straight into guest memory,
 * adds the initrd or modules, the command line, the memory map and the tables that
 * the first instruction needs, and says where the first processor starts. Nothing in the files is
 * trusted, each is opened once, none is changed, and no guest has run when it refuses.
 *
 *     struct boot_request request = {.memory = &vm.memory, .kernel = "vmlinuz",
 *                                    .initrd = "initrd.img", .cmdline = "quiet"};
 *     if (boot_load(&request, &entry, &why) < 0)
 *         die("%s", why.text);
 *
 * Unlike a parser's refusal, this text is whole: it starts with the file at
 * fault, then names the field:
 *
 *     notes.txt: setup_header.boot_flag: 0x6574 at offset 0x1fe instead of ...
 *
 * No KVM here: the tests load kernels into plain memory.
 */
#ifndef CHAPTER_07_BOOT_H
#define CHAPTER_07_BOOT_H

#include "01-kvm-hello/memory.h"
#include "07-linux-boot/entry.h"
#include "common/file.h"
#include "common/refusal.h"

#define BOOT_SEED_SIZE 32u

struct boot_request {
    const struct guest_memory *memory; /* fresh (all zero), laid out by ram_layout() */
    const char *kernel;                /* a path */
    const char *initrd;                /* a path, or NULL for none; with Multiboot a list */
    const struct file *kernel_file;    /* either, if it is open already; NULL: boot_load()... */
    const struct file *initrd_file;    /* ... opens it by its path, and closes it again */
    const char *cmdline;               /* never NULL; may be empty */
    gpa_t rsdp;                        /* ACPI's tables; 0: there are none */
    bool screen;                       /* VGA in text mode 3, 80 by 25 */
    const uint8_t *seed;               /* BOOT_SEED_SIZE random bytes for Linux, or NULL */
};

/* 0 and *entry, or -errno and why->text. The guest's memory is then undefined. */
int boot_load(const struct boot_request *request, struct boot_entry *entry, struct refusal *why);

#endif
