/*
 * pretended.c: see pretended.h.
 *
 * The semantics are the manual's for ring 0 [SDM2, 3.2 "Instructions (A-L)", 4.3
 * "Instructions (M-U)"]. Left out on purpose: everything that changes segments or rings
 * (far jumps, IRET, real descriptor loads), MSRs and debug registers. A monitor like
 * VMware's or Xen's plays those too, and most of its code is about them.
 */
#include "02-protected-mode/before-vtx/pretended.h"

#include <string.h>

#include "01-kvm-hello/kvm.h"
#include "02-protected-mode/entry.h"
#include "02-protected-mode/x86.h"

#define RAX 0u
#define RDX 2u
#define RSP 4u

void pretended_reset(struct pretended *cpu)
{
    cpu->cr0 = CR0_PG | CR0_ET | CR0_PE;
    cpu->cr2 = 0;
    cpu->cr3 = ENTRY_TABLES;
    cpu->cr4 = CR4_PAE;
    cpu->interrupts = cpu->halted = false;
    cpu->gdt = (struct pretended_table){.limit = 0x27, .base = ENTRY_GDT};
    cpu->idt = (struct pretended_table){0};
    cpu->cs = ENTRY_CODE64;
    cpu->ds = ENTRY_DATA;
    cpu->ldtr = 0;
    cpu->tr = ENTRY_TSS;
}

/* A pointer to [address, address + size) if the payload owns all of it, else NULL. */
static uint8_t *own(const struct pretended *cpu, uint64_t address, uint64_t size)
{
    if (address < cpu->start || !fits(address - cpu->start, size, cpu->size))
        return NULL;
    return cpu->memory + (address - cpu->start);
}

/* The address that ModRM, SIB and displacement name. FS and GS are not for payloads. */
static uint64_t operand_address(const struct pretended_regs *regs, const struct insn *insn)
{
    const unsigned mod = insn->modrm >> 6, rm = insn->modrm & 7;
    uint64_t address = (uint64_t)(int64_t)insn->displacement;

    if (rm == 4) {
        unsigned index = (insn->sib >> 3 & 7) | (insn->rex & 2 ? 8 : 0);
        unsigned base = (insn->sib & 7) | (insn->rex & 1 ? 8 : 0);

        if (index != 4)
            address += regs->gpr[index] << (insn->sib >> 6);
        if (!(mod == 0 && (base & 7) == 5))
            address += regs->gpr[base];
    } else if (mod == 0 && rm == 5) {
        address += regs->rip + insn->length;
    } else {
        address += regs->gpr[insn_rm(insn)];
    }
    return insn->addr32 ? (uint32_t)address : address;
}

/* Stores the low bytes of value in r/m; a register takes what its width says. */
static bool store(struct pretended *cpu, struct pretended_regs *regs, const struct insn *insn,
                  uint64_t value)
{
    uint8_t *to;

    if (insn_is_register(insn)) {
        uint64_t *gpr = &regs->gpr[insn_rm(insn)];

        if (insn->wide16 && !(insn->rex & 8))
            *gpr = (*gpr & ~UINT64_C(0xffff)) | (value & 0xffff);
        else
            *gpr = insn->rex & 8 ? value : (uint32_t)value;
        return true;
    }
    to = own(cpu, operand_address(regs, insn), 2); /* to memory: always two bytes */
    if (to)
        memcpy(to, &value, 2);
    return to != NULL;
}

/* SGDT, SIDT, LGDT and LIDT: ten bytes of memory, the limit and the base. */
static bool play_table(struct pretended *cpu, struct pretended_regs *regs, const struct insn *insn,
                       struct pretended_table *table, bool load)
{
    uint8_t *at = own(cpu, operand_address(regs, insn), 10);

    if (!at)
        return false;
    memcpy(load ? (void *)&table->limit : at, load ? at : (void *)&table->limit, 2);
    memcpy(load ? (void *)&table->base : at + 2, load ? at + 2 : (void *)&table->base, 8);
    return true;
}

static bool play_control(struct pretended *cpu, struct pretended_regs *regs,
                         const struct insn *insn, bool load)
{
    uint64_t *gpr = &regs->gpr[insn_rm(insn)], *control;

    switch (insn_reg(insn)) {
    case 0: control = &cpu->cr0; break;
    case 2: control = &cpu->cr2; break;
    case 3: control = &cpu->cr3; break;
    case 4: control = &cpu->cr4; break;
    default: return false;
    }
    if (load)
        *control = *gpr;
    else
        *gpr = *control;
    return true;
}

/* [flags] */
/* PUSHF shows the pretended interrupt flag among the real others; POPF takes it out again. */
static bool play_flags(struct pretended *cpu, struct pretended_regs *regs, bool push)
{
    const uint64_t real = regs->rflags & ~(uint64_t)RFLAGS_IF;
    const uint64_t mine = RFLAGS_IF | RFLAGS_TF; /* not for the payload to set */
    uint64_t value = real | (cpu->interrupts ? RFLAGS_IF : 0);
    uint8_t *at = own(cpu, regs->gpr[RSP] - (push ? 8 : 0), 8);

    if (!at)
        return false;
    if (push) {
        memcpy(at, &value, 8);
        regs->gpr[RSP] -= 8;
        return true;
    }
    memcpy(&value, at, 8);
    regs->gpr[RSP] += 8;
    cpu->interrupts = value & RFLAGS_IF;
    regs->rflags = (regs->rflags & mine) | (value & ~mine);
    return true;
}
/* [/flags] */

static bool play_selector(struct pretended *cpu, struct pretended_regs *regs,
                          const struct insn *insn)
{
    switch (insn->modrm >> 3 & 7) {
    case 0:
    case 2:
    case 3: return store(cpu, regs, insn, cpu->ds);
    case 1: return store(cpu, regs, insn, cpu->cs);
    default: return false;
    }
}

static bool play_out(struct pretended *cpu, const struct pretended_regs *regs, uint64_t port)
{
    cpu->out(cpu->self, (uint16_t)port, (uint8_t)regs->gpr[RAX]);
    return true;
}

static bool play(struct pretended *cpu, struct pretended_regs *regs, const struct insn *insn)
{
    switch (insn->opcode) {
    case 0xfa: cpu->interrupts = false; return true;          /* cli */
    case 0xfb: cpu->interrupts = true; return true;           /* sti */
    case 0xf4: cpu->halted = true; return true;               /* hlt */
    case 0x9c: return play_flags(cpu, regs, true);            /* pushf */
    case 0x9d: return play_flags(cpu, regs, false);           /* popf */
    case 0x8c: return play_selector(cpu, regs, insn);         /* mov r, sreg */
    case 0xe6: return play_out(cpu, regs, insn->immediate);   /* out imm8, al */
    case 0xee: return play_out(cpu, regs, regs->gpr[RDX]);    /* out dx, al */
    case 0x0f06: cpu->cr0 &= ~CR0_TS; return true;            /* clts */
    case 0x0f20: return play_control(cpu, regs, insn, false); /* mov r, cr */
    case 0x0f22: return play_control(cpu, regs, insn, true);  /* mov cr, r */
    case 0x0f00:
        switch (insn->modrm >> 3 & 7) {
        case 0: return store(cpu, regs, insn, cpu->ldtr); /* sldt */
        case 1: return store(cpu, regs, insn, cpu->tr);   /* str */
        }
        return false;
    case 0x0f01:
        switch (insn->modrm >> 3 & 7) {
        case 0: return play_table(cpu, regs, insn, &cpu->gdt, false); /* sgdt */
        case 1: return play_table(cpu, regs, insn, &cpu->idt, false); /* sidt */
        case 2: return play_table(cpu, regs, insn, &cpu->gdt, true);  /* lgdt */
        case 3: return play_table(cpu, regs, insn, &cpu->idt, true);  /* lidt */
        case 4: return store(cpu, regs, insn, cpu->cr0);              /* smsw */
        }
        return false;
    default: return false;
    }
}

bool pretended_play(struct pretended *cpu, struct pretended_regs *regs, const struct insn *insn)
{
    const uint64_t next = regs->rip + insn->length;

    if (insn->segment || insn->lock_or_rep || !play(cpu, regs, insn))
        return false;
    regs->rip = next;
    return true;
}
