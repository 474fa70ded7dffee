/*
 * ending.h: how a guest's run can end, and what the VMM's exit status says of it.
 *
 * The numbers are an interface: scripts test them and --help lists them. Status 1
 * is die()'s: a bad option, an unusable file, a host that refuses. After SIGTERM,
 * SIGINT or SIGHUP the VMM gives the terminal back and dies of that same signal; so
 * it does after SIGQUIT, having reported where the guest was.
 */
#ifndef CHAPTER_04_ENDING_H
#define CHAPTER_04_ENDING_H

enum ending {
    ENDING_NONE = 0, /* the guest runs */
    ENDING_OFF,      /* powered off, or halted for good with interrupts off */
    ENDING_QUIT,     /* the user typed Ctrl-A x */
    ENDING_RESET,    /* the guest pulled the reset line */
    ENDING_CRASH,    /* triple fault, or the guest reported a crash */
    ENDING_STUCK,    /* KVM cannot go on, or stopped for a reason we do not know */
    ENDING_SIGNAL,   /* SIGTERM, SIGINT, SIGHUP or SIGQUIT */
    ENDING_LIMIT,    /* the time that --limit gave is over */
};

enum exit_status {
    STATUS_OFF = 0,
    STATUS_REFUSED = 1,
    STATUS_RESET = 3,
    STATUS_CRASH = 4,
    STATUS_STUCK = 5,
    STATUS_LIMIT = 6,
    STATUS_FORBIDDEN = 7, /* chapter 7: a thread made a system call that it had given up */
};

static inline enum exit_status ending_status(enum ending ending)
{
    switch (ending) {
    case ENDING_RESET: return STATUS_RESET;
    case ENDING_CRASH: return STATUS_CRASH;
    case ENDING_STUCK: return STATUS_STUCK;
    case ENDING_LIMIT: return STATUS_LIMIT;
    default: return STATUS_OFF;
    }
}

#endif
