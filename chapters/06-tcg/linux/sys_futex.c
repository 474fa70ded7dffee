/*
 * sys_futex.c: sleeping on a word of memory.
 *
 * The word is in the window, so the host's kernel can wait on it as it is: guest
 * threads are host threads, and the page behind a shared mapping is the same page.
 * Only the timeout's shape, and the second address, need work. Priority inheritance
 * is passed on: the word holds thread numbers, and they are real.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/sys.h"

enum operand { NOTHING, TIMEOUT, COUNT, UNKNOWN };

/* What the fourth argument is: a time, or a number (of waiters to move). */
static enum operand fourth(uint32_t command)
{
    switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_REQUEUE_PI: return TIMEOUT;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_CMP_REQUEUE_PI:
    case FUTEX_WAKE_OP: return COUNT;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_UNLOCK_PI:
    case FUTEX_TRYLOCK_PI: return NOTHING;
    default: return UNKNOWN;
    }
}

SYSCALL_FUNCTION(futex)
{
    struct space *space = &thread->process->space;
    uint32_t command = args[1] & FUTEX_CMD_MASK;
    enum operand operand = fourth(command);
    bool two = operand == COUNT || command == FUTEX_WAIT_REQUEUE_PI;
    void *word = space_host(space, args[0], 4, SPACE_READ);
    void *second = two ? space_host(space, args[4], 4, SPACE_READ) : NULL;
    struct timespec timeout;
    int64_t value = 0;

    if (operand == UNKNOWN)
        return -ENOSYS;
    if (!word || (two && !second))
        return -EFAULT;
    if (operand == COUNT)
        value = args[3];
    else if (operand == TIMEOUT && args[3]) {
        if (convert_time_in(space, args[3], row->flags & SYSCALL_WIDE, &timeout) < 0)
            return -EFAULT;
        value = host_pointer(&timeout);
    }
    return host_call_waiting(thread, SYS_futex, host_pointer(word), args[1], args[2], value,
                             host_pointer(second), args[5]);
}
