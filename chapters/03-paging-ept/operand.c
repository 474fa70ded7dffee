/*
 * operand.c: see operand.h.
 *
 *     [66 F3 ...] [REX 4x] opcode [0F opcode] [ModRM] [SIB] [displacement] [immediate]
 *
 * Left out on purpose: everything the guests do not use (segments, 16-bit addresses,
 * vectors, LOCK). Chapter 6 decodes a whole instruction set, of another machine.
 * [SDM2, 2.1.5 "Addressing-Mode Encoding of ModR/M and SIB Bytes"]
 */
#include "03-paging-ept/operand.h"

#include <stdbool.h>
#include <string.h>

#include "03-paging-ept/walk.h"
#include "common/bits.h"

struct decoder {
    const uint8_t *start, *at;
    const struct kvm_regs *regs;
    unsigned rex;
    bool repeat;
};

static uint64_t reg(const struct decoder *d, unsigned number)
{
    const uint64_t values[16] = {d->regs->rax, d->regs->rcx, d->regs->rdx, d->regs->rbx,
                                 d->regs->rsp, d->regs->rbp, d->regs->rsi, d->regs->rdi,
                                 d->regs->r8,  d->regs->r9,  d->regs->r10, d->regs->r11,
                                 d->regs->r12, d->regs->r13, d->regs->r14, d->regs->r15};

    return values[number & 15];
}

static uint64_t displacement(struct decoder *d, unsigned size)
{
    int32_t wide;
    int8_t narrow;

    if (size == 0)
        return 0;
    if (size == 1)
        narrow = (int8_t)*d->at, wide = narrow;
    else
        memcpy(&wide, d->at, sizeof wide);
    d->at += size;
    return (uint64_t)(int64_t)wide;
}

/* Reads ModRM and what follows. False: the operand is a register. */
static bool modrm(struct decoder *d, unsigned immediate, unsigned *reg_field, uint64_t *address)
{
    unsigned byte = *d->at++, mod = byte >> 6, rm = byte & 7;
    uint64_t base = 0;

    *reg_field = byte >> 3 & 7;
    if (mod == 3) {
        *address = reg(d, rm | (d->rex & 1) << 3);
        return false;
    }
    if (rm == 4) { /* a SIB byte: base + index * scale */
        unsigned sib = *d->at++, index = (sib >> 3 & 7) | (d->rex >> 1 & 1) << 3;
        bool no_base = (sib & 7) == 5 && mod == 0;

        base = no_base ? displacement(d, 4) : reg(d, (sib & 7) | (d->rex & 1) << 3);
        if (index != 4)
            base += reg(d, index) << (sib >> 6);
    } else if (rm == 5 && mod == 0) { /* relative to the next instruction */
        base = displacement(d, 4);
        *address = base + d->regs->rip + (uint64_t)(d->at - d->start) + immediate;
        return true;
    } else {
        base = reg(d, rm | (d->rex & 1) << 3);
    }
    *address = base + displacement(d, mod == 1 ? 1 : mod == 2 ? 4 : 0);
    return true;
}

static struct operand touch(uint64_t address, unsigned size, unsigned access)
{
    return (struct operand){.touches = {{address, size, access}}};
}

/* An instruction with ModRM that reads or writes size bytes, or neither (LEA). */
static struct operand with_modrm(struct decoder *d, unsigned immediate, unsigned size,
                                 unsigned access)
{
    uint64_t address;
    unsigned field;

    if (!modrm(d, immediate, &field, &address))
        size = 0;
    return touch(address, size, access);
}

static struct operand two_byte(struct decoder *d, unsigned size)
{
    unsigned opcode = *d->at++, field;
    struct operand operand;
    uint64_t address;

    switch (opcode) {
    case 0x01: /* INVLPG is /7 with a memory operand; LGDT, LIDT read */
        if (modrm(d, 0, &field, &address) && field == 7) {
            operand = touch(address, 0, WALK_READ);
            operand.kind = OPERAND_INVLPG;
            return operand;
        }
        return touch(address, 0, WALK_READ);
    case 0x22: /* MOV to a control register */
        modrm(d, 0, &field, &address);
        operand = touch(address, 0, WALK_READ);
        if (field == 3)
            operand.kind = OPERAND_CR3;
        return operand;
    case 0x20: return touch(0, 0, WALK_READ);
    case 0xb6: return with_modrm(d, 0, 1, WALK_READ);     /* MOVZX byte */
    case 0xba: return with_modrm(d, 1, size, WALK_WRITE); /* BTR, BTS with a number */
    default:
        if ((opcode & 0xf0) == 0x80) /* Jcc */
            return touch(0, 0, WALK_READ);
        return (struct operand){.kind = OPERAND_UNKNOWN};
    }
}

static struct operand one_byte(struct decoder *d, unsigned opcode, unsigned size)
{
    const struct kvm_regs *r = d->regs;
    struct operand operand;
    uint64_t address;
    unsigned field;

    if (opcode < 0x40 && (opcode & 7) < 4) /* ADD ... CMP: to memory, or from it */
        return with_modrm(d, 0, opcode & 1 ? size : 1,
                          (opcode & 2) || opcode >= 0x38 ? WALK_READ : WALK_WRITE);
    if ((opcode & 0xf8) == 0x50)
        return touch(r->rsp - 8, 8, WALK_WRITE); /* PUSH */
    if ((opcode & 0xf8) == 0x58)
        return touch(r->rsp, 8, WALK_READ); /* POP */
    switch (opcode) {
    case 0x68:
    case 0x6a:
    case 0xe8: return touch(r->rsp - 8, 8, WALK_WRITE); /* PUSH number, CALL */
    case 0xc3: return touch(r->rsp, 8, WALK_READ);
    case 0xcf:
        operand = touch(r->rsp, 40, WALK_READ);
        operand.kind = size == 8 ? OPERAND_IRET : OPERAND_UNKNOWN;
        return operand;
    case 0x80:
    case 0x83: return with_modrm(d, 1, opcode & 1 ? size : 1, WALK_WRITE);
    case 0x81: return with_modrm(d, 4, size, WALK_WRITE);
    case 0x84: return with_modrm(d, 0, 1, WALK_READ);
    case 0x85: return with_modrm(d, 0, size, WALK_READ);
    case 0x87:
    case 0x89: return with_modrm(d, 0, size, WALK_WRITE);
    case 0x88: return with_modrm(d, 0, 1, WALK_WRITE);
    case 0x8a: return with_modrm(d, 0, 1, WALK_READ);
    case 0x8b: return with_modrm(d, 0, size, WALK_READ);
    case 0x8c:
    case 0x8e: return with_modrm(d, 0, 2, opcode == 0x8c ? WALK_WRITE : WALK_READ);
    case 0x8d: return with_modrm(d, 0, 0, WALK_READ); /* LEA */
    case 0xa4:
    case 0xa5: /* MOVS, one round of it */
        size = opcode & 1 ? size : 1;
        if (d->repeat && r->rcx == 0)
            return touch(0, 0, WALK_READ);
        operand = touch(r->rsi, size, WALK_READ);
        operand.touches[1] = (struct touch){r->rdi, size, WALK_WRITE};
        return operand;
    case 0xac: return touch(r->rsi, 1, WALK_READ); /* LODSB */
    case 0xc6: return with_modrm(d, 1, 1, WALK_WRITE);
    case 0xc7: return with_modrm(d, size == 2 ? 2 : 4, size, WALK_WRITE);
    case 0xf4: return (struct operand){.kind = OPERAND_HLT};
    case 0xfe: return with_modrm(d, 0, 1, WALK_WRITE);
    case 0xf7:
        field = *d->at >> 3 & 7; /* TEST has a number behind it; DIV and MUL read */
        return with_modrm(d, field < 2 ? 4 : 0, size,
                          field > 3 || field < 2 ? WALK_READ : WALK_WRITE);
    case 0xff:
        if (!modrm(d, 0, &field, &address))
            return touch(r->rsp - 8, field == 2 ? 8 : 0, WALK_WRITE); /* CALL register */
        return field < 2 ? touch(address, size, WALK_WRITE)
                         : (struct operand){.kind = OPERAND_UNKNOWN};
    case 0x0f: return two_byte(d, size);
    }
    /* Jumps, flags, ports, shifts, register moves, numbers into AX: no memory. */
    if ((opcode & 0xf0) == 0x70 || (opcode & 0xf0) == 0xb0 || (opcode >= 0xe4 && opcode <= 0xef) ||
        opcode >= 0xf4 || (opcode & 0xf8) == 0x90 || (opcode < 0x40 && (opcode & 7) < 6) ||
        opcode == 0xa8 || opcode == 0xa9)
        return touch(0, 0, WALK_READ);
    if (opcode == 0xc0 || opcode == 0xc1 || opcode == 0xd1 || opcode == 0xd3)
        return with_modrm(d, opcode < 0xd0, size, WALK_WRITE);
    return (struct operand){.kind = OPERAND_UNKNOWN};
}

struct operand operand_of(const uint8_t *code, const struct kvm_regs *regs)
{
    struct decoder d = {.start = code, .at = code, .regs = regs};
    unsigned size = 4;

    for (; *d.at == 0x66 || *d.at == 0xf3 || *d.at == 0xf2; d.at++) {
        size = *d.at == 0x66 ? 2 : size;
        d.repeat |= *d.at != 0x66;
        if (d.at - d.start > 3)
            return (struct operand){.kind = OPERAND_UNKNOWN};
    }
    if ((*d.at & 0xf0) == 0x40)
        d.rex = *d.at++;
    if (d.rex & 8)
        size = 8;
    return one_byte(&d, *d.at++, size);
}
