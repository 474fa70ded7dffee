/* The reference interpreter: what each group of instructions does, in small vectors: many groups,
 * so a long file. */
#include "06-tcg/arm/shift.h"
#include "guest.h"

static struct guest guest;
static struct arm_stop stop;

static void setup(void)
{
    guest_init(&guest);
}

static void teardown(void)
{
    guest_free(&guest);
}

/* Runs one A32 instruction at CODE with the state as it is. */
static void step(uint32_t raw)
{
    guest_put(&guest, CODE, raw);
    guest.cpu.r[ARM_PC] = CODE;
    guest.cpu.thumb = 0;
    guest.cpu.budget = 1;
    stop = arm_run(&guest.cpu);
}

static void step_thumb(uint32_t raw)
{
    guest_put(&guest, CODE, raw);
    guest.cpu.r[ARM_PC] = CODE;
    guest.cpu.thumb = 1;
    guest.cpu.budget = 1;
    stop = arm_run(&guest.cpu);
}

/* "NZCV" with a small letter for each flag that is clear. */
static const char *flags(void)
{
    static char text[5];

    for (unsigned i = 0; i < 4; i++)
        text[i] = arm_cpsr(&guest.cpu) >> (31 - i) & 1 ? "NZCV"[i] : "nzcv"[i];
    return text;
}

static void set_flags(const char *text)
{
    uint32_t cpsr = 0;

    for (unsigned i = 0; i < 4; i++)
        cpsr |= (uint32_t)(text[i] < 'a') << (31 - i);
    arm_set_cpsr(&guest.cpu, cpsr);
}

static const struct {
    uint32_t value;
    enum arm_shift type;
    unsigned amount;
    bool carry_in;
    uint32_t result;
    bool carry;
} shift_vectors[] = {
    {0x80000001, ARM_LSL, 0, 1, 0x80000001, 1},   {0x80000001, ARM_LSL, 1, 0, 0x00000002, 1},
    {0x80000001, ARM_LSL, 31, 1, 0x80000000, 0},  {0x80000001, ARM_LSL, 32, 0, 0, 1},
    {0x80000001, ARM_LSL, 33, 1, 0, 0},           {0x80000001, ARM_LSL, 255, 1, 0, 0},
    {0x80000001, ARM_LSR, 0, 0, 0x80000001, 0},   {0x80000001, ARM_LSR, 1, 0, 0x40000000, 1},
    {0x80000001, ARM_LSR, 31, 1, 1, 0},           {0x80000001, ARM_LSR, 32, 0, 0, 1},
    {0x80000001, ARM_LSR, 33, 1, 0, 0},           {0x80000001, ARM_LSR, 255, 1, 0, 0},
    {0x80000001, ARM_ASR, 1, 0, 0xc0000000, 1},   {0x80000001, ARM_ASR, 31, 1, 0xffffffff, 0},
    {0x80000001, ARM_ASR, 32, 0, 0xffffffff, 1},  {0x40000000, ARM_ASR, 33, 1, 0, 0},
    {0x80000001, ARM_ASR, 255, 0, 0xffffffff, 1}, {0x80000001, ARM_ROR, 0, 1, 0x80000001, 1},
    {0x80000001, ARM_ROR, 1, 0, 0xc0000000, 1},   {0x00000001, ARM_ROR, 31, 1, 0x00000002, 0},
    {0x80000001, ARM_ROR, 32, 0, 0x80000001, 1},  {0x00000001, ARM_ROR, 33, 0, 0x80000000, 1},
    {0x00000002, ARM_ROR, 255, 1, 0x00000004, 0}, {0x00000001, ARM_RRX, 1, 0, 0, 1},
    {0x00000002, ARM_RRX, 1, 1, 0x80000001, 0},
};

START_TEST(shifts_by_32_and_more_empty_the_register)
{
    for (unsigned i = 0; i < ARRAY_SIZE(shift_vectors); i++) {
        bool carry = shift_vectors[i].carry_in;
        uint32_t result = arm_shift(shift_vectors[i].value, shift_vectors[i].type,
                                    shift_vectors[i].amount, &carry);

        ck_assert_msg(result == shift_vectors[i].result && carry == shift_vectors[i].carry,
                      "vector %u: %08x carry %d", i, result, carry);
    }
}
END_TEST

/* Operands in R1 and R2, result in R0. */
static const struct {
    uint32_t raw, r1, r2, r0;
    const char *before, *after;
} data_vectors[] = {
    {0xe0910002, 0xffffffff, 1, 0, "nzcv", "nZCv"},          /* ADDS R0, R1, R2 */
    {0xe0910002, 0x7fffffff, 1, 0x80000000, "nzcv", "NzcV"}, /* ADDS */
    {0xe0810002, 0x7fffffff, 1, 0x80000000, "nZCv", "nZCv"}, /* ADD */
    {0xe0510002, 1, 1, 0, "nzcv", "nZCv"},                   /* SUBS: no borrow is C */
    {0xe0510002, 0, 1, 0xffffffff, "nzCv", "Nzcv"},          /* SUBS */
    {0xe0510002, 0x80000000, 1, 0x7fffffff, "nzcv", "nzCV"}, /* SUBS */
    {0xe0710002, 1, 3, 2, "nzcv", "nzCv"},                   /* RSBS */
    {0xe0b10002, 1, 2, 4, "nzCv", "nzcv"},                   /* ADCS */
    {0xe0b10002, 0xffffffff, 0, 0, "nzCv", "nZCv"},          /* ADCS */
    {0xe0d10002, 5, 3, 1, "nzcv", "nzCv"},                   /* SBCS with a borrow */
    {0xe0d10002, 5, 3, 2, "nzCv", "nzCv"},                   /* SBCS without */
    {0xe0f10002, 3, 5, 1, "nzcv", "nzCv"},                   /* RSCS */
    {0xe0110002, 0xf0, 0x0f, 0, "NzCV", "nZCV"},             /* ANDS keeps C and V */
    {0xe0310002, 0xff, 0x0f, 0xf0, "nzcv", "nzcv"},          /* EORS */
    {0xe1910002, 0x80000000, 1, 0x80000001, "nzcV", "NzcV"}, /* ORRS */
    {0xe1d10002, 0xff, 0x0f, 0xf0, "nzcv", "nzcv"},          /* BICS */
    {0xe1f00002, 0, 0, 0xffffffff, "nzcv", "Nzcv"},          /* MVNS R0, R2 */
    {0xe1b000a2, 0, 3, 1, "nzcv", "nzCv"},                   /* LSRS R0, R2, #1 */
    {0xe1b00062, 0, 1, 0x80000000, "nzCv", "NzCv"},          /* RRXS R0, R2 */
    {0xe3b00102, 0, 0, 0x80000000, "nzcv", "NzCv"},          /* MOVS R0, #0x80000000 */
    {0xe3b00001, 0, 0, 1, "nzCv", "nzCv"},                   /* MOVS R0, #1 keeps C */
    {0xe1510002, 1, 2, 7, "nzCv", "Nzcv"},                   /* CMP writes no register */
    {0x00810002, 1, 2, 7, "nzcv", "nzcv"},                   /* ADDEQ without Z */
    {0x00810002, 1, 2, 3, "nZcv", "nZcv"},                   /* ADDEQ with Z */
    {0xe3400001, 0, 0, 0x00010007, "nzcv", "nzcv"},          /* MOVT keeps the low half */
};

START_TEST(arithmetic_sets_flags_as_the_manual_says)
{
    for (unsigned i = 0; i < ARRAY_SIZE(data_vectors); i++) {
        guest.cpu.r[0] = 7;
        guest.cpu.r[1] = data_vectors[i].r1;
        guest.cpu.r[2] = data_vectors[i].r2;
        set_flags(data_vectors[i].before);
        step(data_vectors[i].raw);
        ck_assert_int_eq(stop.reason, ARM_BUDGET);
        ck_assert_msg(guest.cpu.r[0] == data_vectors[i].r0, "vector %u: R0 is %08x", i,
                      guest.cpu.r[0]);
        ck_assert_msg(strcmp(flags(), data_vectors[i].after) == 0, "vector %u: flags %s", i,
                      flags());
    }
}
END_TEST

START_TEST(conditions_come_in_opposite_pairs)
{
    static const char *const holds[7] = {"Z", "C", "N", "V", "Cz", "N=V", "N=Vz"};

    for (uint32_t nzcv = 0; nzcv < 16; nzcv++) {
        bool n = nzcv >> 3 & 1, z = nzcv >> 2 & 1, c = nzcv >> 1 & 1, v = nzcv & 1;
        bool expected[7] = {z, c, n, v, c && !z, n == v, n == v && !z};

        arm_set_cpsr(&guest.cpu, nzcv << 28);
        for (unsigned pair = 0; pair < 7; pair++) {
            ck_assert_msg(arm_condition(&guest.cpu, 2 * pair) == expected[pair], "%s %x",
                          holds[pair], nzcv);
            ck_assert_int_eq(arm_condition(&guest.cpu, 2 * pair + 1), !expected[pair]);
        }
        ck_assert(arm_condition(&guest.cpu, 14));
    }
}
END_TEST

/* R0 and R3 before and after; R1 and R2 are the operands. */
static const struct {
    uint32_t raw, r0, r1, r2, r3, after0, after3;
    bool q;
} multiply_vectors[] = {
    {0xe0000291, 0, 7, 6, 0, 42, 0, 0},                                 /* MUL R0, R1, R2 */
    {0xe0203291, 0, 7, 6, 100, 142, 100, 0},                            /* MLA R0, R1, R2, R3 */
    {0xe0603291, 0, 7, 6, 100, 58, 100, 0},                             /* MLS R0, R1, R2, R3 */
    {0xe0803291, 9, 0xffffffff, 2, 9, 1, 0xfffffffe, 0},                /* UMULL R3, R0, R1, R2 */
    {0xe0c03291, 9, 0xffffffff, 2, 9, 0xffffffff, 0xfffffffe, 0},       /* SMULL R3, R0, R1, R2 */
    {0xe0a03291, 1, 0xffffffff, 2, 3, 3, 1, 0},                         /* UMLAL R3, R0, R1, R2 */
    {0xe0403291, 0xffffffff, ~0u, ~0u, ~0u, 0xffffffff, 0xffffffff, 0}, /* UMAAL R3, R0 */
    {0xe16002e1, 0, 0x00030000, 0xfffe0000, 0, 0xfffffffa, 0, 0},       /* SMULTT R0, R1, R2 */
    {0xe1003281, 0, 0x7fff, 0x7fff, 0x7fffffff, 0xbfff0000, 0x7fffffff, 1}, /* SMLABB */
    {0xe12002a1, 0, 0x80000000, 2, 0, 0xffff0000, 0, 0},                    /* SMULWB R0, R1, R2 */
    {0xe1020051, 0, 0x7fffffff, 1, 0, 0x7fffffff, 0, 1},                    /* QADD R0, R1, R2 */
    {0xe1220051, 0, 0x80000000, 1, 0, 0x80000000, 0, 1},                    /* QSUB R0, R1, R2 */
    {0xe1420051, 0, 1, 0x40000000, 0, 0x7fffffff, 0, 1},                    /* QDADD doubles R2 */
    {0xe1620051, 0, 0xffffffff, 0x40000000, 0, 0x80000000, 0, 1},           /* QDSUB */
    {0xe16f0f11, 9, 0, 0, 0, 32, 0, 0},                                     /* CLZ R0, R1 */
    {0xe710f211, 9, 5, 0, 0, 0, 0, 0},                            /* SDIV R0, R1, R2: by 0 */
    {0xe710f211, 9, 0x80000000, 0xffffffff, 0, 0x80000000, 0, 0}, /* SDIV: does not fit */
    {0xe710f211, 9, 0xfffffff9, 2, 0, 0xfffffffd, 0, 0},          /* SDIV: towards zero */
    {0xe730f211, 9, 0xfffffff9, 0, 0, 0, 0, 0},                   /* UDIV: by 0 */
    {0xe6bf0f31, 9, 0x01020304, 0, 0, 0x04030201, 0, 0},          /* REV R0, R1 */
    {0xe6af0471, 9, 0x0000ff00, 0, 0, 0xffffffff, 0, 0},          /* SXTB R0, R1, ROR #8 */
    {0xe7a301d1, 9, 0x00000078, 0, 0, 0xffffffff, 0, 0},          /* SBFX R0, R1, #3, #4 */
    {0xe7c60191, 0xffffffff, 0, 0, 0, 0xffffff87, 0, 0},          /* BFI R0, R1, #3, #4 */
    {0xe6a70011, 9, 0x00000080, 0, 0, 0x0000007f, 0, 1},          /* SSAT R0, #8, R1 */
    {0xe6a70251, 9, 0xfffff800, 0, 0, 0xffffff80, 0, 0},          /* SSAT R0, #8, R1, ASR #4 */
    {0xe6a70051, 9, 0x80000000, 0, 0, 0xffffffff, 0, 0},          /* SSAT R0, #8, R1, ASR #32 */
    {0xe6bf0011, 9, 0x80000000, 0, 0, 0x80000000, 0, 0},          /* SSAT R0, #32, R1: all fit */
    {0xe6e80011, 9, 0x00000100, 0, 0, 0x000000ff, 0, 1},          /* USAT R0, #8, R1 */
    {0xe6e80011, 9, 0xffffffff, 0, 0, 0, 0, 1},                   /* USAT: no negative ones */
    {0xe6e80211, 9, 0x0000000f, 0, 0, 0x000000f0, 0, 0},          /* USAT R0, #8, R1, LSL #4 */
    {0xe6e00011, 9, 0x00000001, 0, 0, 0, 0, 1},                   /* USAT R0, #0, R1 */
};

START_TEST(multiplication_and_media)
{
    for (unsigned i = 0; i < ARRAY_SIZE(multiply_vectors); i++) {
        guest.cpu.r[0] = multiply_vectors[i].r0;
        guest.cpu.r[1] = multiply_vectors[i].r1;
        guest.cpu.r[2] = multiply_vectors[i].r2;
        guest.cpu.r[3] = multiply_vectors[i].r3;
        guest.cpu.q = 0;
        step(multiply_vectors[i].raw);
        ck_assert_int_eq(stop.reason, ARM_BUDGET);
        ck_assert_msg(guest.cpu.r[0] == multiply_vectors[i].after0 &&
                          guest.cpu.r[3] == multiply_vectors[i].after3 &&
                          guest.cpu.q == multiply_vectors[i].q,
                      "vector %u: R0 %08x R3 %08x Q %d", i, guest.cpu.r[0], guest.cpu.r[3],
                      guest.cpu.q);
    }
}
END_TEST

START_TEST(q_stays_until_msr_clears_it)
{
    guest.cpu.r[1] = 0x7fffffff;
    guest.cpu.r[2] = 1;
    step(0xe1020051); /* QADD R0, R1, R2 */
    step(0xe1010052); /* QADD R0, R2, R1 */
    guest.cpu.r[1] = 1;
    step(0xe1020051);
    ck_assert_int_eq(guest.cpu.q, 1);
    step(0xe328f000); /* MSR CPSR_f, #0 */
    ck_assert_int_eq(guest.cpu.q, 0);
}
END_TEST

/* R1 is DATA + 0x100 and R2 is 4; memory there is 0x80, 0x81, ... from DATA on. */
static const struct {
    uint32_t raw, r0;
    int moved;
} load_vectors[] = {
    {0xe5910000, 0x83828180, 0},  /* LDR R0, [R1] */
    {0xe5910003, 0x86858483, 0},  /* LDR R0, [R1, #3]: any alignment */
    {0xe5b10004, 0x87868584, 4},  /* LDR R0, [R1, #4]! */
    {0xe4910004, 0x83828180, 4},  /* LDR R0, [R1], #4 */
    {0xe4110004, 0x83828180, -4}, /* LDR R0, [R1], #-4 */
    {0xe7910102, 0x93929190, 0},  /* LDR R0, [R1, R2, LSL #2] */
    {0xe7110002, 0x7f7e7d7c, 0},  /* LDR R0, [R1, -R2] */
    {0xe5d10001, 0x81, 0},        /* LDRB R0, [R1, #1] */
    {0xe1d100b1, 0x8281, 0},      /* LDRH R0, [R1, #1] */
    {0xe1d100d0, 0xffffff80, 0},  /* LDRSB R0, [R1] */
    {0xe1d100f2, 0xffff8382, 0},  /* LDRSH R0, [R1, #2] */
    {0xe0d100b2, 0x8180, 2},      /* LDRH R0, [R1], #2 */
    {0xe4b10004, 0x83828180, 4},  /* LDRT R0, [R1], #4 */
};

START_TEST(loads_and_their_address_modes)
{
    for (unsigned i = 0; i < 0x200; i++)
        *(uint8_t *)space_at(&guest.space, DATA + i) = (uint8_t)(i - 0x80);
    for (unsigned i = 0; i < ARRAY_SIZE(load_vectors); i++) {
        guest.cpu.r[1] = DATA + 0x100;
        guest.cpu.r[2] = 4;
        step(load_vectors[i].raw);
        ck_assert_int_eq(stop.reason, ARM_BUDGET);
        ck_assert_msg(guest.cpu.r[0] == load_vectors[i].r0 &&
                          guest.cpu.r[1] == DATA + 0x100 + (uint32_t)load_vectors[i].moved,
                      "vector %u: R0 %08x R1 %08x", i, guest.cpu.r[0], guest.cpu.r[1]);
    }
}
END_TEST

/* STM{mode} R8!, {R1, R2}: where the two words go, and the base. */
static const struct {
    uint32_t store, load, first, base;
} list_vectors[] = {
    {0xe8a80006, 0xe8b80006, 0x100, 0x108}, /* IA */
    {0xe9a80006, 0xe9b80006, 0x104, 0x108}, /* IB */
    {0xe8280006, 0xe8380006, 0x0fc, 0x0f8}, /* DA */
    {0xe9280006, 0xe9380006, 0x0f8, 0x0f8}, /* DB */
};

START_TEST(the_lowest_register_lies_at_the_lowest_address)
{
    for (unsigned i = 0; i < ARRAY_SIZE(list_vectors); i++) {
        guest.cpu.r[1] = 11;
        guest.cpu.r[2] = 22;
        guest.cpu.r[8] = DATA + 0x100;
        step(list_vectors[i].store);
        ck_assert_uint_eq(guest.cpu.r[8], DATA + list_vectors[i].base);
        ck_assert_uint_eq(guest_word(&guest, DATA + list_vectors[i].first), 11);
        ck_assert_uint_eq(guest_word(&guest, DATA + list_vectors[i].first + 4), 22);
        guest.cpu.r[1] = guest.cpu.r[2] = 0;
        guest.cpu.r[8] = DATA + 0x100;
        step(list_vectors[i].load);
        ck_assert_uint_eq(guest.cpu.r[1], 11);
        ck_assert_uint_eq(guest.cpu.r[2], 22);
        ck_assert_uint_eq(guest.cpu.r[8], DATA + list_vectors[i].base);
    }
}
END_TEST

START_TEST(a_stored_base_is_the_old_one_and_a_stored_pc_is_8_further)
{
    guest.cpu.r[1] = DATA;
    step(0xe8a18002); /* STMIA R1!, {R1, PC} */
    ck_assert_uint_eq(guest_word(&guest, DATA), DATA);
    ck_assert_uint_eq(guest_word(&guest, DATA + 4), CODE + 8);
    ck_assert_uint_eq(guest.cpu.r[1], DATA + 8);
}
END_TEST

START_TEST(a_thumb_load_of_its_own_base_keeps_what_was_loaded)
{
    guest_put(&guest, DATA, 5);
    guest_put(&guest, DATA + 4, 6);
    guest.cpu.r[0] = DATA;
    step_thumb(0xc803); /* LDMIA R0, {R0, R1} */
    ck_assert_uint_eq(guest.cpu.r[0], 5);
    ck_assert_uint_eq(guest.cpu.r[1], 6);
}
END_TEST

START_TEST(bit_0_of_a_target_chooses_the_instruction_set)
{
    guest.cpu.r[1] = CODE + 0x101;
    step(0xe12fff31); /* BLX R1 */
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 0x100);
    ck_assert_uint_eq(guest.cpu.r[ARM_LR], CODE + 4);
    ck_assert_int_eq(guest.cpu.thumb, 1);
    guest.cpu.r[1] = CODE + 0x200;
    step_thumb(0x4788); /* BLX R1 */
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 0x200);
    ck_assert_uint_eq(guest.cpu.r[ARM_LR], CODE + 3);
    ck_assert_int_eq(guest.cpu.thumb, 0);
    guest_put(&guest, DATA, CODE + 0x301);
    guest.cpu.r[ARM_SP] = DATA;
    step(0xe49df004); /* POP {PC} */
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 0x300);
    ck_assert_int_eq(guest.cpu.thumb, 1);
}
END_TEST

START_TEST(branches_count_from_two_instructions_ahead)
{
    step(0xea000000); /* B +0 */
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 8);
    step(0xebfffffe); /* BL to itself */
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE);
    ck_assert_uint_eq(guest.cpu.r[ARM_LR], CODE + 4);
    step(0xfb000000); /* BLX +2 halfwords and H: into Thumb */
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 10);
    ck_assert_int_eq(guest.cpu.thumb, 1);
    step_thumb(0xf830f000); /* BL +0x60 */
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 4 + 0x60);
    ck_assert_uint_eq(guest.cpu.r[ARM_LR], CODE + 5);
    step_thumb(0xd1fe); /* BNE to itself */
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE);
}
END_TEST

START_TEST(from_thumb_the_pc_counts_as_a_word_boundary)
{
    guest_put_half(&guest, CODE + 2, 0x4801); /* LDR R0, [PC, #4] */
    guest_put(&guest, CODE + 8, 0x11223344);
    guest.cpu.thumb = 1;
    guest.cpu.r[ARM_PC] = CODE + 2;
    guest.cpu.budget = 1;
    arm_run(&guest.cpu);
    ck_assert_uint_eq(guest.cpu.r[0], 0x11223344);

    guest_put_half(&guest, CODE + 6, 0xa002); /* ADD R0, PC, #8 */
    guest.cpu.r[ARM_PC] = CODE + 6;
    guest.cpu.budget = 1;
    arm_run(&guest.cpu);
    ck_assert_uint_eq(guest.cpu.r[0], CODE + 16);

    guest_put_half(&guest, CODE + 10, 0xf000); /* BLX +8 */
    guest_put_half(&guest, CODE + 12, 0xe804);
    guest.cpu.r[ARM_PC] = CODE + 10;
    guest.cpu.budget = 1;
    arm_run(&guest.cpu);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 20);
    ck_assert_uint_eq(guest.cpu.r[ARM_LR], CODE + 15);
    ck_assert_int_eq(guest.cpu.thumb, 0);
}
END_TEST

START_TEST(long_multiplication_looks_at_64_bits_for_n_and_z)
{
    guest.cpu.r[1] = 0x80000000;
    guest.cpu.r[2] = 2;
    set_flags("nzCV");
    step(0xe0903291); /* UMULLS R3, R0, R1, R2: 1 and 0 */
    ck_assert_str_eq(flags(), "nzCV");
    guest.cpu.r[2] = 0xffffffff;
    step(0xe0903291);
    ck_assert_str_eq(flags(), "nzCV");
    guest.cpu.r[1] = 0xffffffff;
    step(0xe0903291);
    ck_assert_str_eq(flags(), "NzCV");
    guest.cpu.r[1] = 0;
    step(0xe0903291);
    ck_assert_str_eq(flags(), "nZCV");
}
END_TEST

START_TEST(swp_exchanges)
{
    guest_put(&guest, DATA, 0x11223344);
    guest.cpu.r[1] = 0xaabbccdd;
    guest.cpu.r[2] = DATA;
    step(0xe1020091); /* SWP R0, R1, [R2] */
    ck_assert_uint_eq(guest.cpu.r[0], 0x11223344);
    ck_assert_uint_eq(guest_word(&guest, DATA), 0xaabbccdd);
    step(0xe1420091); /* SWPB R0, R1, [R2] */
    ck_assert_uint_eq(guest.cpu.r[0], 0xdd);
}
END_TEST

START_TEST(a_system_call_stops_behind_itself)
{
    step(0xef000123);
    ck_assert_int_eq(stop.reason, ARM_SVC);
    ck_assert_uint_eq(stop.value, 0x123);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 4);
    step_thumb(0xdf05);
    ck_assert_int_eq(stop.reason, ARM_SVC);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 2);
}
END_TEST

START_TEST(the_same_bits_are_something_else_in_thumb)
{
    guest_put(&guest, CODE, 0x00001888);     /* ANDEQ R1, R0, R8, LSL #17; ADDS R0, R1, R2 */
    guest_put(&guest, CODE + 4, 0xe12fff14); /* BX R4 */
    guest.cpu.r[1] = 2;
    guest.cpu.r[2] = 3;
    guest.cpu.r[4] = CODE + 1;
    guest.cpu.budget = 3;
    arm_run(&guest.cpu);
    ck_assert_uint_eq(guest.cpu.r[0], 5);
}
END_TEST

START_TEST(the_budget_counts_instructions)
{
    for (unsigned i = 0; i < 8; i++)
        guest_put(&guest, CODE + 4 * i, 0xe1a00000);
    guest.cpu.budget = 5;
    stop = arm_run(&guest.cpu);
    ck_assert_int_eq(stop.reason, ARM_BUDGET);
    ck_assert_uint_eq(guest.cpu.r[ARM_PC], CODE + 20);
    ck_assert_uint_eq(guest.cpu.instructions, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("interpret");
    TCase *tests = tcase_create("interpret");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, shifts_by_32_and_more_empty_the_register);
    tcase_add_test(tests, arithmetic_sets_flags_as_the_manual_says);
    tcase_add_test(tests, conditions_come_in_opposite_pairs);
    tcase_add_test(tests, multiplication_and_media);
    tcase_add_test(tests, q_stays_until_msr_clears_it);
    tcase_add_test(tests, loads_and_their_address_modes);
    tcase_add_test(tests, the_lowest_register_lies_at_the_lowest_address);
    tcase_add_test(tests, a_stored_base_is_the_old_one_and_a_stored_pc_is_8_further);
    tcase_add_test(tests, a_thumb_load_of_its_own_base_keeps_what_was_loaded);
    tcase_add_test(tests, bit_0_of_a_target_chooses_the_instruction_set);
    tcase_add_test(tests, branches_count_from_two_instructions_ahead);
    tcase_add_test(tests, from_thumb_the_pc_counts_as_a_word_boundary);
    tcase_add_test(tests, long_multiplication_looks_at_64_bits_for_n_and_z);
    tcase_add_test(tests, swp_exchanges);
    tcase_add_test(tests, a_system_call_stops_behind_itself);
    tcase_add_test(tests, the_same_bits_are_something_else_in_thumb);
    tcase_add_test(tests, the_budget_counts_instructions);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
