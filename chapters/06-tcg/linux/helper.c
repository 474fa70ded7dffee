/*
 * helper.c: the kernel's helper page. See helper.h.
 *
 * The page holds real ARM code for the two sigreturns, which are ordinary system
 * calls, and the number of helpers. The helpers themselves are never fetched: an
 * engine that comes to an address up here stops with ARM_HELPER_PAGE.
 */
#include "06-tcg/linux/helper.h"

#include <signal.h>

#include "06-tcg/fault.h"
#include "06-tcg/space.h"

static uint32_t offset(uint32_t address)
{
    return (address - ARM_HELPERS) / 4;
}

int helper_map(struct space *space)
{
    static uint32_t page[SPACE_PAGE_SIZE / 4];
    int error = space_map(space, ARM_HELPERS, SPACE_PAGE_SIZE, SPACE_READ | SPACE_WRITE, false, -1,
                          0);

    for (unsigned i = 0; i < SPACE_PAGE_SIZE / 4; i++)
        page[i] = 0xe7f000f0;                        /* udf #0: nothing else is here */
    page[offset(HELPER_SIGRETURN)] = 0xe3a07077;     /* mov r7, #119 (sigreturn) */
    page[offset(HELPER_SIGRETURN) + 1] = 0xef000000; /* svc #0 */
    page[offset(HELPER_RT_SIGRETURN)] = 0xe3a070ad;  /* mov r7, #173 (rt_sigreturn) */
    page[offset(HELPER_RT_SIGRETURN) + 1] = 0xef000000;
    page[offset(HELPER_VERSION)] = 5; /* the fifth is cmpxchg64 */
    if (!error)
        error = space_write(space, ARM_HELPERS, page, sizeof page);
    return error ? error
                 : space_protect(space, ARM_HELPERS, SPACE_PAGE_SIZE, SPACE_READ | SPACE_EXEC);
}

/* One exchange, as work for fault_guard(): the memory may vanish under us. */
struct exchange {
    void *where;
    uint64_t old, new;
    bool done;
};

/* [exchange] */
static void exchange32(void *self)
{
    struct exchange *x = self;
    uint32_t old = (uint32_t)x->old;

    x->done = __atomic_compare_exchange_n((uint32_t *)x->where, &old, (uint32_t)x->new, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
/* [/exchange] */

static void exchange64(void *self)
{
    struct exchange *x = self;

    x->done = __atomic_compare_exchange_n((uint64_t *)x->where, &x->old, x->new, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool fault_at(struct arm_stop *stop, uint32_t address, enum arm_access access)
{
    *stop = (struct arm_stop){.reason = ARM_FAULT, .address = address, .access = access};
    return false;
}

static bool exchange(struct arm_cpu *cpu, unsigned size, uint64_t old, uint64_t new,
                     struct arm_stop *stop)
{
    uint32_t address = cpu->r[2];
    struct exchange x = {space_host(cpu->space, address, size, SPACE_READ | SPACE_WRITE), old, new,
                         false};
    siginfo_t info;

    /* The C library never misaligns a lock; what would be atomic then is unclear. */
    if (address % size) {
        fault_at(stop, address, ARM_WRITE);
        stop->unaligned = true;
        return false;
    }
    if (!x.where || !fault_guard(size == 8 ? exchange64 : exchange32, &x, &info))
        return fault_at(stop, address, ARM_WRITE);
    cpu->r[0] = x.done ? 0 : 1;
    cpu->c = x.done;
    return true;
}

static bool exchange_double(struct arm_cpu *cpu, struct arm_stop *stop)
{
    uint64_t old, new;

    if (space_read(cpu->space, cpu->r[0], &old, 8) < 0)
        return fault_at(stop, cpu->r[0], ARM_READ);
    if (space_read(cpu->space, cpu->r[1], &new, 8) < 0)
        return fault_at(stop, cpu->r[1], ARM_READ);
    return exchange(cpu, 8, old, new, stop);
}

/* What an engine would find if it fetched there. */
static bool nothing_here(const struct arm_cpu *cpu, struct arm_stop *stop)
{
    uint32_t pc = cpu->r[ARM_PC];

    if (pc >= ARM_HELPERS + SPACE_PAGE_SIZE)
        return fault_at(stop, pc, ARM_EXECUTE);
    *stop = (struct arm_stop){.reason = ARM_UNDEFINED};
    space_read(cpu->space, pc & ~UINT32_C(3), &stop->value, sizeof stop->value);
    return false;
}

bool helper_call(struct arm_cpu *cpu, struct arm_stop *stop)
{
    bool done = true;

    switch (cpu->r[ARM_PC]) {
    case HELPER_CMPXCHG: done = exchange(cpu, 4, cpu->r[0], cpu->r[1], stop); break;
    case HELPER_CMPXCHG64: done = exchange_double(cpu, stop); break;
    case HELPER_BARRIER: __atomic_thread_fence(__ATOMIC_SEQ_CST); break;
    case HELPER_GET_TLS: cpu->r[0] = cpu->tls; break;
    /* mov r7, #nr and svc, as the page says. */
    case HELPER_SIGRETURN:
    case HELPER_RT_SIGRETURN:
        cpu->r[7] = cpu->r[ARM_PC] == HELPER_SIGRETURN ? 119 : 173;
        cpu->r[ARM_PC] += 8;
        *stop = (struct arm_stop){.reason = ARM_SVC};
        return false;
    default: return nothing_here(cpu, stop);
    }
    if (done) { /* bx lr */
        cpu->thumb = cpu->r[ARM_LR] & 1;
        cpu->r[ARM_PC] = cpu->r[ARM_LR] & ~(cpu->r[ARM_LR] & 1 ? UINT32_C(1) : UINT32_C(3));
    }
    return done;
}
