/*
 * fault.c: host SIGSEGV and SIGBUS that belong to the guest. See fault.h.
 *
 * A guarded call leaves its return point (sigsetjmp) in a thread-local; the handler
 * jumps there. The handler is installed with SA_NODEFER, so leaving it by a jump
 * leaves no signal blocked, and sigsetjmp need not save the mask, which would cost
 * a system call each time.
 */
#include "06-tcg/fault.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <string.h>

#define CLAIMS_MAX 8

static struct {
    fault_claim *claim;
    void *self;
} claims[CLAIMS_MAX];
static volatile sig_atomic_t claim_count;
static void (*on_sent)(int number, siginfo_t *info, void *context);

struct guard {
    sigjmp_buf out;
    siginfo_t info;
};

static _Thread_local struct guard *volatile innermost;

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    int saved = errno;

    /* SI_USER and its kin: somebody sent it, nothing of ours faulted. */
    if (info->si_code > 0) {
        for (int i = 0; i < claim_count; i++)
            if (claims[i].claim(claims[i].self, info, context)) {
                errno = saved;
                return;
            }
        if (innermost) {
            innermost->info = *info;
            siglongjmp(innermost->out, 1);
        }
    }
    if (info->si_code <= 0 && on_sent) {
        on_sent(signal_number, info, context);
        errno = saved;
        return;
    }
    signal(signal_number, SIG_DFL);
    if (info->si_code <= 0)
        raise(signal_number); /* a real fault comes again by itself */
}

void fault_on_sent(void (*sent)(int number, siginfo_t *info, void *context))
{
    on_sent = sent;
}

void fault_install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigset_t both;

    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigemptyset(&both);
    sigaddset(&both, SIGSEGV);
    sigaddset(&both, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &both, NULL);
}

void fault_add(fault_claim *claim, void *self)
{
    assert(claim_count < CLAIMS_MAX);
    claims[claim_count].claim = claim;
    claims[claim_count].self = self;
    claim_count++;
    fault_install();
}

void fault_remove(fault_claim *claim, void *self)
{
    for (int i = 0; i < claim_count; i++)
        if (claims[i].claim == claim && claims[i].self == self)
            claims[i] = claims[--claim_count];
}

bool fault_guard(void (*work)(void *self), void *self, siginfo_t *info)
{
    struct guard guard;
    struct guard *outer = innermost;

    if (sigsetjmp(guard.out, 0)) {
        innermost = outer;
        *info = guard.info;
        return false;
    }
    innermost = &guard;
    work(self);
    innermost = outer;
    return true;
}

struct copy {
    void *to;
    const void *from;
    size_t size;
};

static void copy_bytes(void *self)
{
    const struct copy *copy = self;

    memcpy(copy->to, copy->from, copy->size);
}

int fault_copy(void *to, const void *from, size_t size)
{
    struct copy copy = {to, from, size};
    siginfo_t info;

    return fault_guard(copy_bytes, &copy, &info) ? 0 : -EFAULT;
}
