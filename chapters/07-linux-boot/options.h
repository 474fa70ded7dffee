/*
 * options.h: the command line, in QEMU's words where QEMU has one.
 */
#ifndef CHAPTER_07_OPTIONS_H
#define CHAPTER_07_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "07-linux-boot/cpu_model.h"
#include "07-linux-boot/topology.h"
#include "common/refusal.h"

/* What -append is when it is not given: a console to see, and a boot in half the time. */
#define DEFAULT_CMDLINE "console=ttyS0 cryptomgr.notests"

/* What -s means: QEMU's port. */
#define GDB_DEFAULT "tcp::1234"

/* How often an option that adds up may be given. */
#define OPTIONS_LIST_MAX 32u

enum machine_kind { MACHINE_PC, MACHINE_LEAN };

enum sandbox_choice { SANDBOX_OFF, SANDBOX_ON, SANDBOX_HELP };

struct option_list {
    const char *values[OPTIONS_LIST_MAX];
    unsigned count;
};

struct options {
    const char *kernel; /* never NULL unless it is a question */
    const char *initrd; /* NULL: none; so are the other texts */
    const char *cmdline;
    enum machine_kind machine;
    struct cpu_model cpu;
    uint64_t ram;         /* bytes: a multiple of the page size, 2 MiB to 1 TiB */
    const char *mem_path; /* NULL: anonymous memory */
    bool mem_prealloc;
    struct topology topology;                                             /* 1 to 16 processors */
    struct option_list drives, netdevs, nics, chardevs, serials, devices; /* inventory.h ... */
    const char *hda, *cdrom, *monitor, *gdb, *vnc;                        /* ... reads these */
    bool snapshot;
    bool stopped; /* at the start */
    bool no_reboot, daemonize;
    const char *name, *pidfile;
    const char *trace;
    const char *runas, *chroot;
    bool jail;
    enum sandbox_choice sandbox;
    char discs[4096]; /* the folder that other discs may come from; "": none */
    bool stats;
    bool help, version, cpu_help;
    bool question; /* these, or "help" for a value: nothing is to be run */
};

/*
 * Reads argv[1..argc). 0, or -EINVAL with why->text naming the option at fault.
 * Strings point into argv. Options may be written with one dash or two; of two
 * equal ones the last counts.
 */
int options_parse(struct options *options, int argc, char *const argv[], struct refusal *why);

#endif
