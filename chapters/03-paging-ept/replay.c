/*
 * replay.c: see replay.h.
 *
 * What the processor itself touches is included where it can be seen from outside:
 * the fetch of each instruction and the frame it pushes for a page fault. Left out on
 * purpose: the interrupt table it reads for that, which lies in a page used anyway.
 */
#define _GNU_SOURCE
#include "03-paging-ept/replay.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "03-paging-ept/operand.h"
#include "common/bits.h"

#define CODE_MAX     16u
#define IN_A_ROW_MAX 8u
#define FRAME_SIZE   48u /* SS, RSP, RFLAGS, CS, RIP, error code */

int replay_init(struct replay *r, const struct slot_map *slots)
{
    int error;

    *r = (struct replay){.view = slots_view(slots)};
    error = shadow_init(&r->strict, &r->view, slots, SHADOW_STRICT);
    error = error ? error : shadow_init(&r->unsync, &r->view, slots, SHADOW_UNSYNC);
    error = error ? error : ept_init(&r->small, slots, false);
    error = error ? error : ept_init(&r->big, slots, true);
    return error;
}

void replay_free(struct replay *r)
{
    shadow_free(&r->strict);
    shadow_free(&r->unsync);
    ept_free(&r->small);
    ept_free(&r->big);
}

bool replay_single_step(const struct vcpu *vcpu)
{
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP};

    return ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug) == 0;
}

/* The second dimension sees every read of a table, and the byte itself. */
static void touch_ept(struct ept *ept, const struct walk *w, unsigned access)
{
    uint8_t *host;

    for (unsigned i = 0; i < w->step_count; i++)
        ept_access(ept, w->steps[i].entry_at, WALK_WRITE, &host); /* it may set A or D */
    if (w->status == WALK_OK)
        ept_access(ept, w->gpa, access, &host);
}

static void load(struct replay *r, const struct paging *registers)
{
    shadow_load(&r->strict, registers);
    shadow_load(&r->unsync, registers);
}

/* The guest's memory at a linear address, within one page; NULL if there is none. */
static uint8_t *memory_at(const struct replay *r, uint64_t linear, uint64_t size)
{
    struct walk w = walk(&r->view, &r->registers, linear, WALK_READ);

    return w.status == WALK_OK ? guest_ptr(&r->view, w.gpa, size) : NULL;
}

/* All four see one access. False: the guest faults. */
static bool touch(struct replay *r, uint64_t linear, unsigned size, unsigned access)
{
    struct walk w = walk(&r->view, &r->registers, linear, access);
    struct shadow_outcome strict = shadow_access(&r->strict, linear, access);

    shadow_access(&r->unsync, linear, access);
    touch_ept(&r->small, &w, access);
    touch_ept(&r->big, &w, access);
    if (strict.result == SHADOW_TABLE_WRITE && r->store_count < REPLAY_STORES_MAX) {
        r->stores[r->store_count].host = strict.host;
        r->stores[r->store_count++].size = size;
    }
    if (strict.result != SHADOW_GUEST_FAULT)
        return true;
    r->fault_address = linear;
    r->fault_code = strict.guest.error_code;
    return false;
}

/* The last instruction's stores to page tables have happened: tell the shadows. */
static void settle(struct replay *r)
{
    for (unsigned i = 0; i < r->store_count; i++) {
        shadow_wrote(&r->strict, r->stores[i].host, r->stores[i].size);
        shadow_wrote(&r->unsync, r->stores[i].host, r->stores[i].size);
    }
    r->store_count = 0;
}

/* [deliver] */
/*
 * Delivers a page fault as the processor would [SDM3, 6.14 "Exception and Interrupt
 * Handling in 64-bit Mode"]. We do it because the processor clears the trap flag as it
 * does, and so would run the handler without stopping.
 */
static bool deliver(struct replay *r, const struct vcpu *vcpu, struct kvm_regs *regs,
                    struct kvm_sregs *sregs)
{
    uint64_t at = (regs->rsp & ~UINT64_C(15)) - FRAME_SIZE;
    uint64_t frame[] = {r->fault_code, regs->rip, sregs->cs.selector,
                        regs->rflags,  regs->rsp, sregs->ss.selector};
    uint8_t *gate = memory_at(r, sregs->idt.base + PF_VECTOR * 16, 16);
    uint8_t *stack = memory_at(r, at, FRAME_SIZE);
    uint16_t low, middle;
    uint32_t high;

    if (!gate || !stack)
        return false; /* a double fault: the processor may tell that itself */
    touch(r, at, FRAME_SIZE, WALK_WRITE | WALK_IMPLICIT);
    memcpy(stack, frame, sizeof frame);
    memcpy(&low, gate, sizeof low);
    memcpy(&middle, gate + 6, sizeof middle);
    memcpy(&high, gate + 8, sizeof high);
    regs->rsp = at;
    regs->rip = low | (uint64_t)middle << 16 | (uint64_t)high << 32;
    regs->rflags = RFLAGS_ONE;
    sregs->cr2 = r->fault_address;
    vcpu_set_sregs(vcpu, sregs);
    vcpu_set_regs(vcpu, regs);
    return true;
}
/* [/deliver] */

/* IRETQ to the same ring, done by us: it would set the trap flag aside for a while. */
static bool leave(struct replay *r, const struct vcpu *vcpu, struct kvm_regs *regs)
{
    uint64_t frame[5], *stack;

    if (!touch(r, regs->rsp, sizeof frame, WALK_READ))
        return false;
    stack = (uint64_t *)memory_at(r, regs->rsp, sizeof frame);
    if (!stack)
        return false;
    memcpy(frame, stack, sizeof frame); /* RIP, CS, RFLAGS, RSP, SS */
    regs->rip = frame[0];
    regs->rflags = frame[2] | RFLAGS_ONE;
    regs->rsp = frame[3];
    vcpu_set_regs(vcpu, regs);
    return true;
}

/* One instruction. True: we have done it ourselves, and the guest is at another. */
static bool step(struct replay *r, const struct vcpu *vcpu)
{
    uint8_t code[CODE_MAX] = {0};
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    struct operand operand;

    vcpu_get_sregs(vcpu, &sregs);
    vcpu_get_regs(vcpu, &regs);
    settle(r);
    r->instructions++;
    if (!touch(r, regs.rip, 1, WALK_FETCH))
        return deliver(r, vcpu, &regs, &sregs);
    for (unsigned i = 0; i < CODE_MAX; i++) {
        const uint8_t *byte = memory_at(r, regs.rip + i, 1);

        code[i] = byte ? *byte : 0;
    }
    operand = operand_of(code, &regs);
    if (operand.kind == OPERAND_UNKNOWN)
        r->unknown++;
    r->halted = operand.kind == OPERAND_HLT;
    if (operand.kind == OPERAND_IRET)
        return leave(r, vcpu, &regs);
    if (operand.kind == OPERAND_INVLPG) {
        shadow_invlpg(&r->strict, operand.touches[0].address);
        shadow_invlpg(&r->unsync, operand.touches[0].address);
    }
    /* MOV to CR3 with the same value flushes, too; another value is seen next time. */
    if (operand.kind == OPERAND_CR3 && operand.touches[0].address == r->registers.cr3)
        load(r, &r->registers);
    for (unsigned i = 0; i < OPERAND_TOUCHES_MAX; i++) {
        const struct touch *t = &operand.touches[i];

        if (t->size && !touch(r, t->address, t->size, t->access))
            return deliver(r, vcpu, &regs, &sregs);
    }
    return false;
}

void replay_step(struct replay *r, const struct vcpu *vcpu, const struct paging_features *features)
{
    struct paging now = paging_of(vcpu, features);

    if (walk_levels(&now) != 4 || !(now.cr0 & CR0_WP))
        return;
    if (!r->started || now.cr3 != r->registers.cr3)
        load(r, &now);
    r->started = true;
    r->registers = now;
    /* A handler that faults at its first instruction would keep us here for ever. */
    for (unsigned i = 0; i < IN_A_ROW_MAX && step(r, vcpu); i++)
        ;
}

void replay_print(FILE *out, const struct replay *r)
{
    const struct shadow_counts *a = &r->strict.counts, *b = &r->unsync.counts;
    const struct {
        const char *what;
        uint64_t strict, unsync, small, big;
    } rows[] = {
        {"entries filled in", a->fills, b->fills, r->small.violations, r->big.violations},
        {"page faults passed on to the guest", a->guest_faults, b->guest_faults, 0, 0},
        {"writes to page tables", a->table_writes, b->table_writes + b->unsyncs, 0, 0},
        {"INVLPG", a->invlpgs, b->invlpgs, 0, 0},
        {"loads of CR3", a->cr3_loads, b->cr3_loads, 0, 0},
        {"MMIO", a->mmio, b->mmio, r->small.mmio, r->big.mmio},
    };
    uint64_t sums[4] = {0};

    fprintf(out, "%" PRIu64 " instructions, %" PRIu64 " accesses to memory\n", r->instructions,
            a->accesses);
    fprintf(out, "%-36s %8s %8s %8s %8s\n", "exits because of", "shadow", "unsync", "EPT",
            "EPT 2M");
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        fprintf(out, "%-36s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n", rows[i].what,
                rows[i].strict, rows[i].unsync, rows[i].small, rows[i].big);
        sums[0] += rows[i].strict;
        sums[1] += rows[i].unsync;
        sums[2] += rows[i].small;
        sums[3] += rows[i].big;
    }
    fprintf(out, "%-36s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n", "together", sums[0],
            sums[1], sums[2], sums[3]);
    if (r->unknown)
        fprintf(out, "%" PRIu64 " instructions were not decoded: what they touch is missing\n",
                r->unknown);
}
