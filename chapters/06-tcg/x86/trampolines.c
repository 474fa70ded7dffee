/*
 * trampolines.c: the code around blocks, through which C calls emitted code.
 *
 *   uint32_t enter(struct arm_cpu *cpu, const void *code, void *table,
 *                  struct frame_fault *fault);
 *
 * enter() saves what the ABI wants preserved, loads the pins from *cpu and jumps to
 * code. Every way out stores the pins again, so C only ever sees a whole struct
 * arm_cpu. [AMD64-ABI, 3.2.1 "Registers and the Stack Frame"]
 */
#include "06-tcg/x86/generate.h"
#include "common/bits.h"

static const enum x86_reg preserved[] = {RBX, RBP, R12, R13, R14, R15};

_Static_assert(ARRAY_SIZE(preserved) == 6, "FRAME_SIZE counts six pushes");

static void load_pins(struct x86_code *code, const struct x86_pins *pins)
{
    for (unsigned global = 0; global < IR_N; global++)
        if (pins->reg[global] != X86_NO_REG)
            x86_load(code, X86_32, pins->reg[global], frame_home(global));
}

static void store_pins(struct x86_code *code, const struct x86_pins *pins)
{
    for (unsigned global = 0; global < IR_N; global++)
        if (pins->reg[global] != X86_NO_REG)
            x86_store(code, X86_32, frame_home(global), pins->reg[global]);
}

#define CPU(field) x86_mem(RBP, offsetof(struct arm_cpu, field))

/* From bytes to the frame's form, by way of RAX and RCX. */
static void load_flags(struct x86_code *code)
{
    x86_movzx(code, X86_8, RAX, CPU(n));
    x86_shift_imm(code, X86_SHL, X86_32, x86_reg(RAX), FRAME_N_BIT);
    x86_movzx(code, X86_8, RCX, CPU(z));
    x86_shift_imm(code, X86_SHL, X86_32, x86_reg(RCX), FRAME_Z_BIT);
    x86_alu(code, X86_OR, X86_32, RAX, x86_reg(RCX));
    x86_movzx(code, X86_8, RCX, CPU(v));
    x86_alu(code, X86_OR, X86_32, RAX, x86_reg(RCX));
    x86_store(code, X86_16, FRAME_NZV, RAX);
    x86_store_imm(code, X86_32, FRAME_KINDS, FRAME_KEPT);
}

/* And back, by way of RCX: RAX and RDX are in use. */
static void store_flags(struct x86_code *code, size_t settle)
{
    x86_call(code, settle);
    x86_movzx(code, X86_16, RCX, FRAME_NZV);
    x86_store(code, X86_8, CPU(v), RCX);
    x86_shift_imm(code, X86_SHR, X86_32, x86_reg(RCX), FRAME_Z_BIT);
    x86_bt(code, X86_32, x86_reg(RCX), 0);
    x86_setcc(code, X86_B, CPU(z));
    x86_bt(code, X86_32, x86_reg(RCX), FRAME_N_BIT - FRAME_Z_BIT);
    x86_setcc(code, X86_B, CPU(n));
}

/* From the result to the left operand, in ECX, if that is what lazy.left is. */
static void undo(struct x86_code *code)
{
    size_t known, add, done;

    x86_test_imm(code, X86_8, CPU(lazy.add), 2);
    known = x86_jcc_short(code, X86_E);
    x86_test_imm(code, X86_8, CPU(lazy.add), 1);
    add = x86_jcc_short(code, X86_NE);
    x86_alu(code, X86_ADD, X86_32, RCX, CPU(lazy.right));
    done = x86_jmp_short(code);
    x86_land(code, add);
    x86_alu(code, X86_SUB, X86_32, RCX, CPU(lazy.right));
    x86_land(code, done);
    x86_land(code, known);
}

/* Left op right once more: N, Z and V into AX, C into CL. */
static void compute_again(struct x86_code *code)
{
    size_t add, done;

    x86_load(code, X86_32, RCX, CPU(lazy.left));
    undo(code);
    x86_test_imm(code, X86_8, CPU(lazy.add), 1);
    add = x86_jcc_short(code, X86_NE);
    x86_alu(code, X86_CMP, X86_32, RCX, CPU(lazy.right));
    x86_setcc(code, X86_AE, x86_reg(RCX));
    done = x86_jmp_short(code);
    x86_land(code, add);
    x86_alu(code, X86_ADD, X86_32, RCX, CPU(lazy.right));
    x86_setcc(code, X86_B, x86_reg(RCX));
    x86_land(code, done);
    x86_lahf(code);
    x86_setcc(code, X86_O, x86_reg(RAX));
}

/* Jumps over what comes next if the byte says that the flag is kept. */
static size_t unless_lazy(struct x86_code *code, struct x86_operand kind)
{
    x86_alu_imm(code, X86_CMP, X86_8, kind, 1);
    return x86_jcc_short(code, X86_E);
}

#define SAVED(n) x86_mem(RSP, 8 + FRAME_SAVED + 8 * (n)) /* above the return address */

/*
 * A subroutine that makes lazy flags kept ones, and changes none but the host's flags. It
 * pushes nothing: interrupt.c looks for its return address.
 */
static size_t settle(struct x86_code *code)
{
    size_t start = code->size, c, v, nz, of_operands;

    x86_store(code, X86_64, SAVED(0), RAX);
    x86_store(code, X86_64, SAVED(1), RCX);
    compute_again(code);
    c = unless_lazy(code, CPU(lazy.c));
    x86_store(code, X86_8, CPU(c), RCX);
    x86_land(code, c);
    v = unless_lazy(code, CPU(lazy.v));
    x86_store(code, X86_8, FRAME_NZV, RAX);
    x86_land(code, v);
    nz = unless_lazy(code, CPU(lazy.nz));
    x86_alu_imm(code, X86_CMP, X86_8, CPU(lazy.nz), 2);
    of_operands = x86_jcc_short(code, X86_NE);
    x86_load(code, X86_32, RAX, CPU(lazy.result));
    x86_test(code, X86_32, x86_reg(RAX), RAX);
    x86_lahf(code);
    x86_land(code, of_operands);
    x86_store_ah(code, FRAME_NZ);
    x86_land(code, nz);
    x86_store_imm(code, X86_32, FRAME_KINDS, FRAME_KEPT);
    x86_load(code, X86_64, RCX, SAVED(1));
    x86_load(code, X86_64, RAX, SAVED(0));
    x86_ret(code);
    return start;
}

static void enter(struct x86_code *code, const struct x86_pins *pins, struct trampolines *out)
{
    size_t interrupted;

    x86_align(code, 0, 16);
    out->enter = code->size;
    for (unsigned n = 0; n < ARRAY_SIZE(preserved); n++)
        x86_push(code, preserved[n]);
    x86_alu_imm(code, X86_SUB, X86_64, x86_reg(RSP), FRAME_SIZE);
    x86_mov(code, X86_64, RBP, RDI);
    x86_store(code, X86_64, x86_mem(RSP, FRAME_TABLE), RDX);
    x86_store(code, X86_64, x86_mem(RSP, FRAME_FAULT), RCX);
    load_flags(code);
    x86_mov(code, X86_64, RAX, RSI); /* RSI may be a pin */
    load_pins(code, pins);
    out->look = code->size;
    x86_alu_imm(code, X86_CMP, X86_32, CPU(interrupt), 0);
    interrupted = x86_jcc_short(code, X86_NE);
    x86_jmp_to(code, x86_reg(RAX));
    x86_land(code, interrupted);
    x86_mov_imm(code, RDX, FRAME_INTERRUPTED);
}

/* Back to C; the status is in RDX. */
static void leave_frame(struct x86_code *code)
{
    x86_alu_imm(code, X86_ADD, X86_64, x86_reg(RSP), FRAME_SIZE);
    for (unsigned n = ARRAY_SIZE(preserved); n-- > 0;)
        x86_pop(code, preserved[n]);
    x86_mov(code, X86_32, RAX, RDX);
    x86_ret(code);
}

/* The key in RAX is an address and, in bit 0, an instruction set. */
static void store_key(struct x86_code *code)
{
    x86_mov(code, X86_32, RCX, RAX);
    x86_alu_imm(code, X86_AND, X86_32, x86_reg(RCX), ~1);
    x86_store(code, X86_32, x86_mem(RBP, offsetof(struct arm_cpu, r[ARM_PC])), RCX);
    x86_alu_imm(code, X86_AND, X86_32, x86_reg(RAX), 1);
    x86_store(code, X86_8, x86_mem(RBP, offsetof(struct arm_cpu, thumb)), RAX);
}

void generate_trampolines(struct x86_code *code, const struct x86_pins *pins,
                          struct trampolines *out)
{
    size_t stay;

    out->settle = settle(code);

    enter(code, pins, out);
    stay = x86_jmp_short(code); /* interrupted */
    out->fault_leave = code->size;
    x86_mov_imm(code, RDX, FRAME_FAULT_TAKEN);
    x86_land(code, stay);
    store_pins(code, pins);
    store_flags(code, out->settle);
    leave_frame(code);

    out->miss = code->size;
    x86_mov_imm(code, RDX, FRAME_LOOKUP);
    out->leave = code->size;
    store_pins(code, pins);
    store_flags(code, out->settle);
    store_key(code);
    leave_frame(code);
}
