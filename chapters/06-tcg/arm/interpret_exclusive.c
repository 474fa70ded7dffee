/*
 * interpret_exclusive.c: the accesses that other threads cannot come between.
 *
 * SWP, the old way, exchanges a register with memory in one go. LDREX and STREX,
 * the new way, bracket a piece of code: STREX stores only if nobody else has
 * written there since LDREX, and says in a register (0 or 1) whether it did.
 *
 * Modelled: a monitor that remembers address and value, and a STREX that compares
 * and exchanges. It fails without a matching LDREX before it, after a system call,
 * and if the value has changed. It does not notice a value that changed and changed
 * back in between, which the hardware might; qemu-arm has the same gap.
 *
 * Keep open: [ARM-ARM, A3.4 "Synchronization and semaphores"], [ARM-ARM, A5.2.10
 * "Synchronization primitives"].
 */
#include "06-tcg/arm/memory.h"
#include "06-tcg/arm/step.h"

static bool swap(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    uint32_t address = s->cpu->r[insn->rn], data = s->cpu->r[insn->rm];
    void *host;

    if (!memory_aligned(address, insn->size, ARM_WRITE, s->stop))
        return false;
    host = memory_atomic(s->cpu, address, insn->size, s->stop);
    if (!host)
        return false;
    if (insn->size == 1)
        data = __atomic_exchange_n((uint8_t *)host, (uint8_t)data, __ATOMIC_SEQ_CST);
    else
        data = __atomic_exchange_n((uint32_t *)host, data, __ATOMIC_SEQ_CST);
    s->cpu->r[insn->rd] = data;
    return true;
}

/* [exclusive] */
static bool load_exclusive(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    struct arm_cpu *cpu = s->cpu;
    uint32_t address = cpu->r[insn->rn];
    uint64_t value;

    if (!memory_aligned(address, insn->size, ARM_READ, s->stop) ||
        !memory_load(cpu, address, insn->size, &value, s->stop))
        return false;
    cpu->monitor = (struct arm_monitor){value, address, insn->size};
    cpu->r[insn->rd] = (uint32_t)value;
    if (insn->size == 8)
        cpu->r[insn->ra] = (uint32_t)(value >> 32);
    return true;
}

/* Stores data if the memory still holds what LDREX saw there. */
static bool exchange_if_same(void *host, unsigned size, uint64_t seen, uint64_t data)
{
    uint8_t seen8 = (uint8_t)seen;
    uint16_t seen16 = (uint16_t)seen;
    uint32_t seen32 = (uint32_t)seen;

    switch (size) {
    case 1:
        return __atomic_compare_exchange_n((uint8_t *)host, &seen8, (uint8_t)data, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_compare_exchange_n((uint16_t *)host, &seen16, (uint16_t)data, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_compare_exchange_n((uint32_t *)host, &seen32, (uint32_t)data, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    default:
        return __atomic_compare_exchange_n((uint64_t *)host, &seen, data, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
}

/* An unmatched STREX fails without looking at memory, so it cannot fault. */
static bool store_exclusive(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    struct arm_cpu *cpu = s->cpu;
    uint32_t address = cpu->r[insn->rn];
    uint64_t data = cpu->r[insn->rm];
    bool stored = false;

    if (insn->size == 8)
        data |= (uint64_t)cpu->r[insn->ra] << 32;
    if (cpu->monitor.size == insn->size && cpu->monitor.address == address) {
        void *host = memory_atomic(cpu, address, insn->size, s->stop);

        if (!host)
            return false;
        stored = exchange_if_same(host, insn->size, cpu->monitor.value, data);
    }
    cpu->monitor.size = 0;
    cpu->r[insn->rd] = !stored;
    return true;
}
/* [/exclusive] */

bool step_exclusive(struct step *s)
{
    switch (s->insn->op) {
    case ARM_SWP: return swap(s);
    case ARM_LDREX: return load_exclusive(s);
    case ARM_STREX: return store_exclusive(s);
    default: s->cpu->monitor.size = 0; return true; /* CLREX */
    }
}
