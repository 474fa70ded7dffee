/*
 * option_table.h: every option there is, a row each. Parsing, help, the manual page's check
 * and the shell's completion all go by it.
 */
#ifndef CHAPTER_07_OPTION_TABLE_H
#define CHAPTER_07_OPTION_TABLE_H

#include <stdio.h>

#include "common/refusal.h"

enum option_id {
    OPTION_KERNEL,
    OPTION_INITRD,
    OPTION_APPEND,
    OPTION_MACHINE,
    OPTION_CPU,
    OPTION_MEMORY,
    OPTION_MEM_PATH,
    OPTION_MEM_PREALLOC,
    OPTION_PROCESSORS,
    OPTION_DRIVE,
    OPTION_HDA,
    OPTION_CDROM,
    OPTION_SNAPSHOT,
    OPTION_NIC,
    OPTION_NETDEV,
    OPTION_SERIAL,
    OPTION_CHARDEV,
    OPTION_MONITOR,
    OPTION_DEVICE,
    OPTION_NAME,
    OPTION_VNC,
    OPTION_GDB,
    OPTION_GDB_SHORT,
    OPTION_STOPPED,
    OPTION_NO_REBOOT,
    OPTION_NOGRAPHIC,
    OPTION_DAEMONIZE,
    OPTION_PIDFILE,
    OPTION_SANDBOX,
    OPTION_RUNAS,
    OPTION_CHROOT,
    OPTION_JAIL,
    OPTION_TRACE,
    OPTION_STATS,
    OPTION_VERSION,
    OPTION_HELP,
};

struct option_row {
    const char *name;
    enum option_id id;
    const char *value; /* what its argument is called; NULL if it takes none */
    const char *text;  /* NULL: another name of the row above */
};

/* In the order of the help text; the last has no name. */
extern const struct option_row option_table[];

/* The row of an argument that begins with one dash or two; NULL with why->text. */
const struct option_row *option_find(const char *argument, struct refusal *why);

/* What there is, what the keys do, what the exit status says. */
void options_print_help(FILE *out);

#endif
