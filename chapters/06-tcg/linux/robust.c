/*
 * robust.c: locks whose owner died. See robust.h.
 *
 * A thread keeps a list of the robust locks it holds, in its own memory, and tells the
 * kernel only where the list begins. When the thread ends, the kernel walks it. The
 * host's kernel cannot do that for us, since its list has pointers of 64 bits.
 *
 *     struct robust_list_head { next; futex_offset; list_op_pending; }    three words
 *     each entry              { next; }   the lock's futex is at entry + futex_offset
 *
 * A futex's word: bit 31 somebody waits, bit 30 the owner died, the rest is the owner's
 * number. Bit 0 of a pointer marks a lock with priority inheritance, which the host's
 * kernel looks after. [Linux: Documentation/locking/robust-futex-ABI.rst]
 */
#include "06-tcg/linux/robust.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "06-tcg/linux/syscall.h"

#define ENTRIES_MAX 2048u /* the kernel's ROBUST_LIST_LIMIT */

/* The exchange, as work for fault_guard(). */
struct mark {
    uint32_t *word;
    uint32_t tid, before;
};

static void mark_dead(void *self)
{
    struct mark *mark = self;
    uint32_t old = __atomic_load_n(mark->word, __ATOMIC_SEQ_CST);

    do {
        mark->before = old;
        if ((old & FUTEX_TID_MASK) != mark->tid)
            return;
    } while (!__atomic_compare_exchange_n(mark->word, &old,
                                          (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

static void release(struct thread *thread, uint32_t futex)
{
    struct mark mark = {space_host(&thread->process->space, futex, 4, SPACE_READ | SPACE_WRITE),
                        (uint32_t)gettid(), 0};
    siginfo_t info;

    if (!mark.word || futex % 4 || !fault_guard(mark_dead, &mark, &info))
        return;
    if ((mark.before & FUTEX_TID_MASK) == mark.tid && (mark.before & FUTEX_WAITERS))
        host_call(SYS_futex, host_pointer(mark.word), FUTEX_WAKE, 1);
}

void robust_list_exit(struct thread *thread)
{
    struct space *space = &thread->process->space;
    uint32_t head[3], entry, next;

    if (!thread->robust_list || space_read(space, thread->robust_list, head, sizeof head) < 0)
        return;
    entry = head[0];
    for (unsigned i = 0; i < ENTRIES_MAX && entry != thread->robust_list; i++) {
        /* Read before release(): the one who is woken may reuse it. */
        if (space_read(space, entry & ~UINT32_C(1), &next, sizeof next) < 0)
            break;
        if (entry != head[2])
            release(thread, (entry & ~UINT32_C(1)) + head[1]);
        entry = next;
    }
    if (head[2]) /* it died between taking the lock and putting it on the list */
        release(thread, (head[2] & ~UINT32_C(1)) + head[1]);
}
