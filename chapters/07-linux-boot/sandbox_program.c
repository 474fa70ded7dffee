/*
 * sandbox_program.c: see sandbox_program.h. Open at hand: seccomp(2),
 * Documentation/userspace-api/seccomp_filter.rst, Documentation/networking/filter.rst.
 *
 * The kernel runs such a program before each system call of a thread. It has one register, A,
 * and may load into it what struct seccomp_data holds: the call's number and its arguments;
 * not what pointers point at. What it returns is the verdict. Jumps go forward only.
 *
 *         ld   nr
 *         jeq  #SYS_ioctl, 1, 0      a group of rows
 *         ja   next
 *         ld   args[1]
 *         jeq  #KVM_RUN, 0, 1
 *         ret  ALLOW
 *         ...                        its other rows
 *         ret  TRAP                  no row was right, and no other group is this call's
 *   next: jeq  #SYS_futex, 0, 1      a row without a condition
 *         ret  ALLOW
 *         ...
 *         ret  TRAP
 *
 * libseccomp writes such programs as well, and better ones. It takes 2.7 million instructions
 * for our four, and a guest starts in less than four. The tests ask it for its opinion.
 *
 * Left out on purpose: other system call tables. A 32-bit call has another architecture, one
 * of the x32 table a bit in its number that no row has; neither is made.
 */
#include "07-linux-boot/sandbox_program.h"

#include <assert.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#define ALLOW SECCOMP_RET_ALLOW
#define TRAP  SECCOMP_RET_TRAP

static void emit(struct sandbox_program *p, struct sock_filter instruction)
{
    assert(p->length < SANDBOX_PROGRAM_MAX);
    p->code[p->length++] = instruction;
}

static void load(struct sandbox_program *p, size_t offset)
{
    emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* If A is value, the next instruction runs, else the one behind it. */
static void if_equal(struct sandbox_program *p, uint32_t value)
{
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
}

static void give(struct sandbox_program *p, uint32_t verdict)
{
    emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

static void compile_row(struct sandbox_program *p, const struct sandbox_row *row, uint32_t self)
{
    load(p, offsetof(struct seccomp_data, args) + row->argument * sizeof(uint64_t));
    if (row->bits != UINT32_MAX)
        emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, row->bits));
    if_equal(p, row->self ? self : row->value);
    give(p, ALLOW);
}

/* [sandbox-group] */
/* The rows of one call, those of the kind alone. A holds the call's number, before and after. */
static void compile_call(struct sandbox_program *p, const struct sandbox_row *rows, size_t count,
                         unsigned kind, uint32_t self)
{
    uint32_t otherwise = TRAP;
    unsigned start;

    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rows->number, 1, 0));
    start = p->length;
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0));
    for (size_t i = 0; i < count; i++) {
        if (rows[i].mildly & BIT(kind))
            otherwise = SECCOMP_RET_ERRNO | (uint32_t)rows[i].error;
        if (!(rows[i].kinds & BIT(kind)))
            continue;
        if (rows[i].bits == 0)
            otherwise = ALLOW;
        else
            compile_row(p, &rows[i], self);
    }
    give(p, otherwise);
    p->code[start].k = p->length - start - 1u;
}
/* [/sandbox-group] */

static size_t same_call(const struct sandbox_row *rows, size_t count)
{
    size_t same = 1;

    while (same < count && rows[same].number == rows->number)
        same++;
    return same;
}

void sandbox_compile(struct sandbox_program *p, const struct sandbox_row *rows, size_t count,
                     enum thread_kind kind, uint32_t self)
{
    p->length = 0;
    load(p, offsetof(struct seccomp_data, arch));
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    give(p, TRAP);
    load(p, offsetof(struct seccomp_data, nr));
    for (size_t i = 0, same; i < count; i += same) {
        unsigned kinds = 0;

        same = same_call(rows + i, count - i);
        for (size_t j = i; j < i + same; j++)
            kinds |= rows[j].kinds | rows[j].mildly;
        if (kinds & BIT(kind))
            compile_call(p, rows + i, same, kind, self);
    }
    give(p, TRAP);
}
