/*
 * deprive.h: a ring-0 payload, run in ring 3 of a Linux process, on a pretended CPU.
 *
 * Trap and emulate without any help from the processor. The payload runs at full speed
 * as part of a child process; an instruction that traps becomes a signal, and the
 * handler plays it out on struct pretended. Instructions that should trap and do not
 * give the payload the host's truth, unless a scan has put INT3 over them (sensitive.h).
 *
 * Isolation is the child's: seccomp leaves it read, write, exit and sigreturn, so a
 * payload that turns out to be malicious can garble its output and nothing else.
 */
#ifndef CHAPTER_02_DEPRIVE_H
#define CHAPTER_02_DEPRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEPRIVE_SIZE    UINT64_C(0x10000) /* the payload's memory, code and stack */
#define DEPRIVE_PAYLOAD 0x1000u           /* where in it the payload starts */
#define DEPRIVE_MAX     0xd000u           /* at most so many bytes of payload */
#define DEPRIVE_PORT    0xe9u             /* bytes written here go to fd */

/* How it ended. */
enum deprive_end {
    DEPRIVE_HALTED,  /* hlt with the interrupt flag off */
    DEPRIVE_CRASHED, /* a fault that no emulation explains: a wrong pointer, say */
    DEPRIVE_UNKNOWN, /* a sensitive instruction that the monitor does not emulate */
    DEPRIVE_KILLED,  /* a system call, or the time was up */
};

struct deprive_report {
    enum deprive_end end;
    uint32_t trapped; /* emulated because the processor trapped them */
    uint32_t patched; /* emulated because of INT3 */
    uint64_t offset;  /* of the last trap, from the start of the payload */
    char name[16];    /* its mnemonic, if it is sensitive */
    int signal;       /* for DEPRIVE_KILLED */
};

/*
 * Runs size bytes of position-independent 64-bit code in a child for at most seconds.
 * Its output goes to fd. 0, or -errno if the host refuses, -EFBIG for a large payload.
 */
int deprive_run(const uint8_t *payload, size_t size, bool patch, unsigned seconds, int fd,
                struct deprive_report *report);

#endif
