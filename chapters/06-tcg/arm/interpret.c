/*
 * interpret.c: the reference interpreter's loop: fetch, decode, execute.
 *
 * Modelled: what a user program can do, instruction by instruction, in the order of
 * the program. Left out: any thought of speed but one, a short memory of decoded
 * instructions.
 *
 *        +--> interrupt? budget? --> fetch --> decode --> condition --> group --+
 *        |                             |                                 |      |
 *        |                             v                                 v      |
 *        |                           fault                       stop, or next  |
 *        +----------------------------------------------------------------------+
 *
 * Keep open: [ARM-ARM, A8.3 "Conditional execution"], [ARM-ARM, A2.3 "ARM core
 * registers"] for what writing R15 does.
 */
#include <assert.h>
#include <signal.h>

#include "06-tcg/arm/interpret.h"
#include "06-tcg/arm/memory.h"
#include "06-tcg/arm/step.h"
#include "06-tcg/fault.h"
#include "06-tcg/space.h"

uint32_t step_reg(const struct step *s, unsigned n)
{
    return n == ARM_PC ? arm_read_pc(s->cpu) : s->cpu->r[n];
}

/* BXWritePC(). A target with bits 10 is not aligned for A32; its fetch will fault. */
void step_jump_exchange(struct step *s, uint32_t target)
{
    s->next_thumb = target & 1;
    s->next = target & ~UINT32_C(1);
}

/* ALUWritePC(): in A32 arithmetic on R15 is a BX, in Thumb it stays in Thumb. */
void step_set_reg(struct step *s, unsigned n, uint32_t value)
{
    if (n != ARM_PC)
        s->cpu->r[n] = value;
    else if (s->cpu->thumb)
        s->next = value & ~UINT32_C(1);
    else
        step_jump_exchange(s, value);
}

static bool step_branch(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    struct arm_cpu *cpu = s->cpu;
    uint32_t pc = arm_read_pc(cpu), back = cpu->r[ARM_PC] + insn->length;
    uint32_t target = insn->operand == ARM_REG ? step_reg(s, insn->rm) : 0;

    if (insn->op == ARM_BL || insn->op == ARM_BLX)
        cpu->r[ARM_LR] = back | cpu->thumb;
    if (insn->operand == ARM_REG) {
        step_jump_exchange(s, target);
    } else if (insn->op == ARM_BLX) {
        s->next_thumb = !cpu->thumb;
        s->next = (pc & ~UINT32_C(3)) + insn->imm;
    } else {
        s->next = pc + insn->imm;
    }
    return true;
}

/*
 * The fields of MSR: 8 has the flags, 4 has GE. The others hold modes and masks, which
 * a user program cannot change, and the byte order of data, which we do not model.
 */
static void write_psr(struct step *s)
{
    bool carry;
    uint32_t old = arm_cpsr(s->cpu), value = step_operand2(s, &carry), mask = 0;

    if (s->insn->list & 8)
        mask |= CPSR_N | CPSR_Z | CPSR_C | CPSR_V | CPSR_Q;
    if (s->insn->list & 4)
        mask |= UINT32_C(0xf0000);
    arm_set_cpsr(s->cpu, (old & ~mask) | (value & mask));
}

static bool stop_for(struct step *s, enum arm_stop_reason reason, uint32_t value)
{
    *s->stop = (struct arm_stop){.reason = reason, .value = value};
    return false;
}

/* What neither computes nor accesses memory nor jumps. */
static bool step_system(struct step *s)
{
    const struct arm_insn *insn = s->insn;

    switch (insn->op) {
    case ARM_MRS: s->cpu->r[insn->rd] = arm_cpsr(s->cpu); return true;
    case ARM_MSR: write_psr(s); return true;
    case ARM_GET_TLS: s->cpu->r[insn->rd] = s->cpu->tls; return true;
    case ARM_BARRIER: __atomic_thread_fence(__ATOMIC_SEQ_CST); return true;
    case ARM_HINT: return true;
    case ARM_BKPT: return stop_for(s, ARM_BREAKPOINT, insn->imm);
    case ARM_SVC_OP: /* it is done when it stops: the caller goes on behind it */
        s->cpu->monitor.size = 0;
        s->cpu->r[ARM_PC] = s->next;
        return stop_for(s, ARM_SVC, insn->imm);
    default: return stop_for(s, ARM_UNDEFINED, insn->raw);
    }
}

static bool step_group(struct step *s)
{
    unsigned op = s->insn->op;

    if (op <= ARM_MVN)
        return step_data(s);
    if (op >= ARM_MUL && op <= ARM_QDSUB)
        return step_multiply(s);
    if (op == ARM_MOVT || (op >= ARM_CLZ && op <= ARM_USAT))
        return step_media(s);
    if (op >= ARM_LDR && op <= ARM_STM)
        return step_memory(s);
    if (op >= ARM_SWP && op <= ARM_CLREX)
        return step_exclusive(s);
    if (op >= ARM_B && op <= ARM_BX)
        return step_branch(s);
    return step_system(s);
}

/* [execute] */
bool arm_execute(struct arm_cpu *cpu, const struct arm_insn *insn, struct arm_stop *stop)
{
    struct step s = {cpu, insn, stop, cpu->r[ARM_PC] + insn->length, cpu->thumb};

    if (arm_condition(cpu, insn->cond) && !step_group(&s))
        return false;
    cpu->r[ARM_PC] = s.next;
    cpu->thumb = s.next_thumb;
    return true;
}
/* [/execute] */

/* The instruction's bits; a Thumb pair may begin on one page and end on the next. */
static bool fetch_raw(const struct arm_cpu *cpu, uint32_t address, uint32_t *raw,
                      struct arm_stop *stop)
{
    uint32_t second;

    if (address >= ARM_HELPERS) {
        *stop = (struct arm_stop){.reason = ARM_HELPER_PAGE, .address = address};
        return false;
    }
    if (!cpu->thumb)
        return memory_aligned(address, 4, ARM_EXECUTE, stop) &&
               memory_fetch(cpu, address, 4, raw, stop);
    if (!memory_fetch(cpu, address, 2, raw, stop))
        return false;
    if (!arm_thumb_is_pair((uint16_t)*raw))
        return true;
    if (!memory_fetch(cpu, address + 2, 2, &second, stop))
        return false;
    *raw |= second << 16;
    return true;
}

/* [loop] */
/*
 * What a thread has decoded lately. It is found by its bits, not by its address: programs
 * have the same words in many places, and code that is written over needs no care. (The
 * factor, 2^32 over the golden ratio, brings every bit of the word into the highest ten.)
 */
#define REMEMBERED_BITS 10

static const struct arm_insn *decode(bool thumb, uint32_t raw)
{
    static _Thread_local struct arm_insn remembered[1 << REMEMBERED_BITS];
    struct arm_insn *insn = &remembered[raw * UINT32_C(0x9e3779b1) >> (32 - REMEMBERED_BITS)];

    if (insn->length == 0 || insn->raw != raw || insn->thumb != thumb)
        *insn = thumb ? arm_decode_thumb(raw) : arm_decode(raw);
    return insn;
}

bool arm_fetch(const struct arm_cpu *cpu, uint32_t address, struct arm_insn *insn,
               struct arm_stop *stop)
{
    uint32_t raw;

    if (!fetch_raw(cpu, address, &raw, stop))
        return false;
    *insn = *decode(cpu->thumb, raw);
    return true;
}

bool arm_step(struct arm_cpu *cpu, struct arm_stop *stop)
{
    uint32_t raw;

    return fetch_raw(cpu, cpu->r[ARM_PC], &raw, stop) &&
           arm_execute(cpu, decode(cpu->thumb, raw), stop);
}

struct running {
    struct arm_cpu *cpu;
    struct arm_stop stop;
};

static void run(void *self)
{
    struct running *running = self;
    struct arm_cpu *cpu = running->cpu;
    uint32_t raw;

    for (;;) {
        if (atomic_load_explicit(&cpu->interrupt, memory_order_relaxed)) {
            running->stop = (struct arm_stop){.reason = ARM_INTERRUPTED};
            return;
        }
        if (cpu->budget == 0) {
            running->stop = (struct arm_stop){.reason = ARM_BUDGET};
            return;
        }
        if (!fetch_raw(cpu, cpu->r[ARM_PC], &raw, &running->stop))
            return;
        cpu->budget--;
        cpu->instructions++;
        if (!arm_execute(cpu, decode(cpu->thumb, raw), &running->stop))
            return;
    }
}
/* [/loop] */

/*
 * The flags allow an access and yet the host refuses it: another thread of the guest
 * has just unmapped the page, or it is a page of a file beyond the file's end. No
 * register has changed, so it can be told as any other fault; what it was for is not
 * known any more.
 */
static struct arm_stop host_fault(const struct arm_cpu *cpu, const siginfo_t *info)
{
    uintptr_t offset = (uintptr_t)info->si_addr - cpu->space->base;

    assert(offset < SPACE_SIZE + SPACE_GUARD); /* else it is no access of the guest's */
    return (struct arm_stop){.reason = ARM_FAULT,
                             .address = (uint32_t)offset,
                             .access = ARM_READ,
                             .vanished = info->si_signo == SIGBUS};
}

struct arm_stop arm_run(struct arm_cpu *cpu)
{
    struct running running = {.cpu = cpu};
    siginfo_t info;

    if (!fault_guard(run, &running, &info))
        return host_fault(cpu, &info);
    return running.stop;
}
