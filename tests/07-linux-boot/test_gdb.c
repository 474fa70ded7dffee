/*
 * test_gdb.c: a debugger's packets, and what the stub does about them. The guest is memory
 * and registers, without KVM; much of what comes is hostile.
 *
 * Long, because each packet has a right way and several wrong ones.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/gdb/stub.h"
#include "common/bits.h"
#include "harness/harness.h"

#define RAM    (256 * KIB)
#define TABLES 0x10000u /* page tables of those tests that have any */
#define CPUS   3u

static struct guest_memory memory;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct registers registers[CPUS];
static struct kvm_guest_debug armed[CPUS];
static struct kvm_debug_exit_arch hits[CPUS];
static bool has_hit[CPUS], running[CPUS];
static bool stands, killed, refuse_arm;
static unsigned stops, sets, commands;
static struct gdb_stub stub;
static struct console_end end;
static char said[200000];
static size_t said_size;

static size_t put(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    ck_assert_uint_lt(said_size + count, sizeof said);
    memcpy(said + said_size, bytes, count);
    said_size += count;
    said[said_size] = '\0';
    return count;
}

static void wake(void *self)
{
    (void)self;
}

static void target_stop(void *self)
{
    (void)self;
    ck_assert(!stands);
    stands = true;
    stops++;
    memset(running, 0, sizeof running);
}

static void target_go(void *self, const bool *runs)
{
    (void)self;
    ck_assert(stands);
    stands = false;
    memcpy(running, runs, sizeof running);
}

static bool target_hit(void *self, unsigned i, struct kvm_debug_exit_arch *hit)
{
    bool had = has_hit[i];

    (void)self;
    *hit = hits[i];
    has_hit[i] = false;
    return had;
}

static void target_get(void *self, unsigned i, struct registers *r)
{
    (void)self;
    ck_assert(stands);
    *r = registers[i];
}

static bool target_set(void *self, unsigned i, const struct registers *r)
{
    (void)self;
    ck_assert(stands);
    registers[i] = *r;
    sets++;
    return true;
}

static bool target_arm(void *self, unsigned i, struct kvm_guest_debug *debug)
{
    (void)self;
    ck_assert(stands);
    armed[i] = *debug;
    return !refuse_arm;
}

static const char *target_state(void *self, unsigned i)
{
    (void)self;
    return i == 0 ? "running" : "halted";
}

static void target_command(void *self, const char *line, FILE *out)
{
    (void)self;
    commands++;
    fprintf(out, "told: %s\n", line);
}

static void target_kill(void *self)
{
    (void)self;
    killed = true;
}

static const struct gdb_target target = {.processors = CPUS,
                                         .memory = &memory,
                                         .lock = &lock,
                                         .maxphyaddr = 36,
                                         .step_flags = KVM_GUESTDBG_SINGLESTEP,
                                         .stop = target_stop,
                                         .go = target_go,
                                         .take_hit = target_hit,
                                         .get = target_get,
                                         .set = target_set,
                                         .arm = target_arm,
                                         .state = target_state,
                                         .command = target_command,
                                         .kill = target_kill};

/* The event loop. */
static void settle(void)
{
    do
        for (unsigned i = 0; i < 4; i++)
            gdb_stub_run(&stub);
    while (stub.input_count > 0);
}

static void send_bytes(const void *bytes, size_t count)
{
    const uint8_t *at = bytes;

    while (count > 0) {
        size_t taken = end.receive(end.self, at, count);

        at += taken;
        count -= taken;
        settle();
    }
    settle();
}

static void hear_nothing(void)
{
    said_size = 0;
    said[0] = '\0';
}

static void connect_gdb(void)
{
    end.opened(end.self, true);
    settle();
}

static void hang_up(void)
{
    end.opened(end.self, false);
    settle();
}

/* 32-bit protected mode, flat. */
static void reset_registers(struct registers *r, uint64_t rip)
{
    static const struct kvm_segment code = {
        .selector = 8, .limit = 0xffffffff, .type = 11, .present = 1, .s = 1, .g = 1, .db = 1};
    struct kvm_segment data = code, none = {.unusable = 1};

    data.type = 3;
    *r = (struct registers){.general = {.rip = rip, .rflags = 2},
                            .special = {.cr0 = 0x11,
                                        .cs = code,
                                        .ds = data,
                                        .es = data,
                                        .ss = data,
                                        .fs = data,
                                        .gs = data,
                                        .ldt = none,
                                        .tr = {.type = 11, .present = 1, .limit = 0x67}},
                            .floating = {.mxcsr = 0x1f80}};
}

static void power_up(void)
{
    ck_assert_int_eq(guest_memory_add(&memory, 0, RAM), 0);
    for (unsigned i = 0; i < CPUS; i++)
        reset_registers(&registers[i], 0x1000 + i);
    stands = killed = refuse_arm = false;
    stops = sets = commands = 0;
    memset(has_hit, 0, sizeof has_hit);
    memset(armed, 0, sizeof armed);
    gdb_stub_init(&stub);
    gdb_stub_connect(&stub, (struct byte_sink){put, NULL}, wake, NULL);
    gdb_stub_attach(&stub, &target);
    end = gdb_stub_end(&stub);
    connect_gdb();
    hear_nothing();
}

static void power_down(void)
{
    gdb_stub_free(&stub);
    guest_memory_free(&memory);
}

static void send_packet(const char *data, size_t length)
{
    char *framed;
    size_t size;
    FILE *out = open_memstream(&framed, &size);

    packet_write(out, data, length);
    fclose(out);
    send_bytes(framed, size);
    free(framed);
}

/* What is in the frame of its answer; every answer must have a right sum. */
static const char *tell(const char *data)
{
    static char answer[PACKET_MAX + 16];
    struct packet_reader *reader = calloc(1, sizeof *reader);
    enum packet_event event = PACKET_NOTHING;

    hear_nothing();
    send_packet(data, strlen(data));
    answer[0] = '\0';
    for (size_t i = 0; i < said_size; i++) {
        event = packet_take(reader, (uint8_t)said[i]);
        ck_assert(event == PACKET_NOTHING || event == PACKET_WHOLE);
        if (event == PACKET_WHOLE)
            strcpy(answer, reader->data);
    }
    free(reader);
    return answer;
}

static void expect(const char *data, const char *answer)
{
    const char *got = tell(data);

    ck_assert_msg(strcmp(got, answer) == 0, "%s: answered \"%s\", not \"%s\"", data, got, answer);
}

static void expect_error(const char *data)
{
    const char *got = tell(data);

    ck_assert_msg(got[0] == 'E' && strlen(got) == 3, "%s: answered \"%s\"", data, got);
}

static uint8_t *byte_at(gpa_t at)
{
    return guest_ptr(&memory, at, 1);
}

static void meet(unsigned cpu, unsigned exception, uint64_t pc, uint64_t dr6)
{
    hits[cpu] = (struct kvm_debug_exit_arch){.exception = exception, .pc = pc, .dr6 = dr6};
    has_hit[cpu] = true;
    gdb_stub_hit(&stub);
    settle();
}

/* ---- who is there ---- */

START_TEST(the_guest_stands_while_somebody_is_connected)
{
    ck_assert(stands);
    hang_up();
    ck_assert(!stands);
    for (unsigned i = 0; i < 1000; i++) {
        connect_gdb();
        ck_assert(stands);
        hang_up();
        ck_assert(!stands);
    }
}
END_TEST

START_TEST(who_comes_after_another_finds_nothing_of_his)
{
    expect("Z0,2000,1", "OK");
    end.opened(end.self, false);
    end.opened(end.self, true);
    settle();
    ck_assert(stands);
    ck_assert_uint_eq(*byte_at(0x2000), 0);
}
END_TEST

START_TEST(a_debugger_that_leaves_takes_its_breakpoints_with_it)
{
    *byte_at(0x2000) = 0x90;
    expect("Z0,2000,1", "OK");
    expect("Z1,3000,1", "OK");
    ck_assert_uint_eq(*byte_at(0x2000), 0xcc);
    expect("D", "OK");
    ck_assert_uint_eq(*byte_at(0x2000), 0x90);
    ck_assert(!stands);
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert(running[i] && armed[i].control == 0);
    expect_error("g"); /* it is no longer his */
}
END_TEST

START_TEST(a_connection_lost_while_the_guest_runs_is_a_detach)
{
    *byte_at(0x2000) = 0x90;
    expect("Z0,2000,1", "OK");
    expect("vCont;c", "");
    ck_assert(!stands && armed[1].control == (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP));
    hang_up();
    ck_assert_uint_eq(*byte_at(0x2000), 0x90);
    ck_assert(!stands && armed[1].control == 0);
}
END_TEST

START_TEST(the_end_is_told_to_who_waits_for_it)
{
    tell("QStartNoAckMode");
    tell("c");
    hear_nothing();
    gdb_stub_detach(&stub, ENDING_RESET);
    ck_assert_str_eq(said, "$W03#ba");
    power_down();
    power_up();
    hear_nothing();
    gdb_stub_detach(&stub, ENDING_OFF); /* it does not wait */
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(a_crash_is_a_signal)
{
    tell("c");
    hear_nothing();
    gdb_stub_detach(&stub, ENDING_CRASH);
    ck_assert_str_eq(said, "$X06#be");
}
END_TEST

START_TEST(kill_ends_the_machine)
{
    tell("k");
    ck_assert(killed);
    ck_assert_str_eq(said, "+");
    killed = false;
    expect("vKill;1", "OK");
    ck_assert(killed);
}
END_TEST

/* ---- frames ---- */

START_TEST(a_wrong_sum_does_nothing)
{
    send_bytes("$M2000,1:55#00", 14);
    ck_assert_str_eq(said, "-");
    ck_assert_uint_eq(*byte_at(0x2000), 0);
    hear_nothing();
    send_bytes("$M2000,1:55#zz", 14);
    ck_assert_str_eq(said, "-");
    ck_assert_uint_eq(*byte_at(0x2000), 0);
}
END_TEST

START_TEST(a_minus_says_the_last_answer_again)
{
    hear_nothing();
    send_bytes("$qC#b4", 6);
    ck_assert_str_eq(said, "+$QC1#c5");
    send_bytes("-", 1);
    ck_assert_str_eq(said, "+$QC1#c5+$QC1#c5");
}
END_TEST

START_TEST(garbage_between_packets_is_nothing)
{
    uint32_t x = 1;
    uint8_t block[1024];

    for (unsigned round = 0; round < 1024; round++) {
        for (unsigned i = 0; i < sizeof block; i++) {
            x = x * 1664525 + 1013904223;
            block[i] = (uint8_t)(x >> 24);
            if (block[i] == '$' || block[i] == '-')
                block[i] = '+';
        }
        send_bytes(block, sizeof block);
    }
    ck_assert_str_eq(said, "");
    expect("qC", "QC1");
}
END_TEST

START_TEST(a_packet_without_end_is_not_kept)
{
    uint8_t block[1000];

    memset(block, 'm', sizeof block);
    send_bytes("$", 1);
    for (unsigned i = 0; i < 1000; i++)
        send_bytes(block, sizeof block);
    ck_assert_str_eq(said, "");
    send_bytes("#40", 3); /* the sum of a million of them */
    ck_assert_str_eq(said, "+$E16#ac");
    expect("qC", "QC1");
}
END_TEST

START_TEST(both_do_without_acks)
{
    tell("QStartNoAckMode");
    ck_assert_str_eq(said, "+$OK#9a");
    tell("qC");
    ck_assert_str_eq(said, "$QC1#c5");
    hear_nothing();
    send_bytes("---+++$qC#00", 12);
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(what_is_unknown_has_an_empty_answer)
{
    static const char *const unknown[] = {
        "vMustReplyEmpty",
        "qFoo",
        "Qbar",
        "!",
        "x",
        "vFlashErase:0,1",
        "b",
        "",
        "qCRC:0,1",
        "qSymbol::",
        "gaudy",
        "kiss",
        "qXfer:a:b",
        "R00",
        "t0",
        "i",
        "\x80\xff",
        "vCont",
        "?x",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++)
        expect(unknown[i], "");
}
END_TEST

/* ---- memory ---- */

START_TEST(memory_is_read_and_written)
{
    expect("M2000,3:a1b2C3", "OK");
    expect("m2000,4", "a1b2c300");
    hear_nothing();
    send_packet("X2001,2:}\x03y", 11); /* } turns the bit of what follows */
    ck_assert_str_eq(said, "+$OK#9a");
    ck_assert_uint_eq(*byte_at(0x2001), '#');
    ck_assert_uint_eq(*byte_at(0x2002), 'y');
    expect("X2000,0:", "OK");
    expect("m2000,0", "");
}
END_TEST

START_TEST(memory_that_is_not_there_is_an_error)
{
    static const char *const bad[] = {
        "m40000,1",
        "mffffffffffffffff,10",
        "mffffffffffffffff,ffffffffffffffff",
        "me0000000,4",
        "M40000,1:00",
        "X40000,1:a",
        "M3ffff,2:0102",
        "m2000",
        "m2000,",
        "m,1",
        "m2000,g",
        "m20000000000000000,1",
        "m2000,10000000000000000",
        "m2000,1,",
        "m-1,1",
        "m 2000,1",
        "M2000,2:01",
        "M2000,2:010203",
        "M2000,2:010",
        "M2000,2:01zz",
        "M2000,ffffffffffffffff:00",
        "M2000,2",
        "X2000,2:a",
        "X2000,2:abc",
        "X2000,ffffffffffffffff:a",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        expect_error(bad[i]);
    for (gpa_t at = 0x2000; at < 0x2004; at++)
        ck_assert_uint_eq(*byte_at(at), 0);
    ck_assert_uint_eq(*byte_at(0x3ffff), 0);
}
END_TEST

START_TEST(an_answer_is_no_longer_than_a_packet)
{
    ck_assert_uint_eq(strlen(tell("m0,ffffffff")), PACKET_MAX - 4);
    ck_assert_uint_eq(strlen(tell("m3fff0,ffff")), 32); /* and ends where memory does */
}
END_TEST

/* 64-bit mode: one page at 0x7f0000000000 is at 0x3000, the next is absent. */
static void page(void)
{
    uint64_t *pml4 = guest_ptr(&memory, TABLES, 0x4000);

    registers[0].special.cr0 = 0x80000011;
    registers[0].special.cr3 = TABLES;
    registers[0].special.cr4 = CR4_PAE | CR4_SMAP;
    registers[0].special.efer = EFER_LME | EFER_LMA;
    pml4[0xfe] = (TABLES + 0x1000) | PTE_P | PTE_U;
    pml4[0x200] = (TABLES + 0x2000) | PTE_P | PTE_U;
    pml4[0x400] = (TABLES + 0x3000) | PTE_P | PTE_U;
    pml4[0x600] = 0x3000 | PTE_P | PTE_U;
    *byte_at(0x3fff) = 0x77;
}

START_TEST(addresses_are_the_guest_s_own)
{
    page();
    expect("m7f0000000ffe,1", "00");
    expect("m7f0000000fff,1", "77");
    expect("m7f0000000fff,2", "77"); /* as far as it goes */
    expect_error("m7f0000001000,1");
    expect_error("m3fff,1");
    expect_error("m800000000000,1");
    expect("M7f0000000fff,1:78", "OK"); /* read-only is for the guest */
    expect_error("M7f0000000fff,2:7979");
    ck_assert_uint_eq(*byte_at(0x3fff), 0x78);
}
END_TEST

START_TEST(no_page_table_leads_astray)
{
    uint64_t *pml4 = guest_ptr(&memory, TABLES, 0x4000);

    page();
    pml4[0xfe] = TABLES | PTE_P; /* itself */
    tell("m7f0000000000,8");
    pml4[0xfe] = UINT64_C(0x800000000) | PTE_P; /* past RAM */
    expect_error("m7f0000000000,8");
    pml4[0xfe] = (TABLES + 0x1000) | PTE_P | PTE_PS; /* reserved there */
    expect_error("m7f0000000000,8");
    registers[0].special.cr3 = UINT64_C(0xfffffffffffff000);
    expect_error("m7f0000000000,8");
}
END_TEST

/* ---- registers ---- */

START_TEST(registers_have_numbers)
{
    registers[0].general.rax = 0x1122334455667788;
    registers[0].special.efer = 0x500;
    expect("p0", "8877665544332211");
    expect("p10", "0010000000000000"); /* RIP */
    expect("p11", "02000000");
    expect("P0=0100000000000000", "OK");
    ck_assert_uint_eq(registers[0].general.rax, 1);
    expect("P30=000102030405060708090a0b0c0d0e0f", "OK"); /* XMM8 */
    ck_assert_uint_eq(registers[0].floating.xmm[8][15], 15);
    ck_assert_uint_eq(registers[0].floating.xstate_bv, XSTATE_SSE);
}
END_TEST

START_TEST(all_registers_at_once_come_back_as_they_went)
{
    char packet[PACKET_MAX];

    registers[0].general.r15 = 0xabcdef;
    snprintf(packet, sizeof packet, "G%s", tell("g"));
    registers[0].general.r15 = 0;
    expect(packet, "OK");
    ck_assert_uint_eq(registers[0].general.r15, 0xabcdef);
    strcat(packet, "00");
    expect_error(packet);
    packet[strlen(packet) - 4] = '\0';
    expect_error(packet);
    strcat(packet, "x0");
    expect_error(packet);
    expect_error("G");
    expect_error("G00");
}
END_TEST

START_TEST(what_no_processor_could_have_is_refused)
{
    static const char *const bad[] = {
        "pffff",
        "p",
        "p0,",
        "pffffffffffffffff",
        "P0",
        "P0=",
        "P0=00",
        "P0=00000000000000000",
        "P0=0000000000000000z0",
        "Pffff=00",
        "P12=10000000",   /* a selector */
        "P11=0000000000", /* EFLAGS is of four bytes */
    };
    struct registers before = registers[0];
    char packet[64];
    unsigned number = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        expect_error(bad[i]);
    for (unsigned i = 0; i < registers_count(); i++)
        number = register_size(i) == 8 ? i : number; /* EFER is the last */
    snprintf(packet, sizeof packet, "P%x=ffffffffffffffff", number);
    expect_error(packet);
    snprintf(packet, sizeof packet, "P%x=00000080ffffffff", number - 5); /* CR0 */
    expect_error(packet);
    ck_assert(memcmp(&before, &registers[0], sizeof before) == 0);
    ck_assert_uint_eq(sets, 0);
}
END_TEST

/* A client asks for the description by pieces, in whatever size it likes. */
START_TEST(the_description_is_whole_in_any_pieces)
{
    char whole[20000], packet[64];
    size_t size = 0;
    unsigned rows = 0;

    for (;;) {
        const char *piece;

        snprintf(packet, sizeof packet, "qXfer:features:read:target.xml:%zx,1ff", size);
        piece = tell(packet);
        ck_assert(piece[0] == 'm' || piece[0] == 'l');
        ck_assert_uint_le(strlen(piece), 0x200);
        ck_assert_uint_lt(size + strlen(piece), sizeof whole);
        strcpy(whole + size, piece + 1);
        size += strlen(piece + 1);
        if (piece[0] == 'l')
            break;
    }
    for (const char *at = whole; (at = strstr(at, "<reg ")); at++)
        rows++;
    ck_assert_uint_eq(rows, registers_count());
    ck_assert_str_eq(whole + size - 10, "</target>\n");
    expect("qXfer:features:read:target.xml:ffffffffffffffff,ffffffffffffffff", "l");
    expect("qXfer:features:read:../../../etc/passwd:0,fff", "E00");
    expect("qXfer:features:read::0,fff", "E00");
    expect_error("qXfer:features:read:target.xml:0");
    expect_error("qXfer:features:read:target.xml:,");
}
END_TEST

/* ---- breakpoints ---- */

START_TEST(a_debugger_sees_the_guest_s_byte)
{
    *byte_at(0x2000) = 0x55;
    expect("Z0,2000,1", "OK");
    expect("Z0,2000,1", "OK");
    ck_assert_uint_eq(*byte_at(0x2000), 0xcc);
    expect("m1fff,3", "005500");
    expect("M2000,1:66", "OK");
    ck_assert_uint_eq(*byte_at(0x2000), 0xcc);
    expect("m2000,1", "66");
    expect("z0,2000,1", "OK");
    ck_assert_uint_eq(*byte_at(0x2000), 0x66);
    expect("z0,2000,1", "OK");
    expect("z0,3000,1", "OK");
    ck_assert_uint_eq(*byte_at(0x3000), 0);
}
END_TEST

START_TEST(what_the_guest_writes_over_a_breakpoint_stays)
{
    *byte_at(0x2000) = 0x55;
    expect("Z0,2000,1", "OK");
    *byte_at(0x2000) = 0x90;
    expect("m2000,1", "90");
    expect("z0,2000,1", "OK");
    ck_assert_uint_eq(*byte_at(0x2000), 0x90);
}
END_TEST

START_TEST(nonsense_is_no_breakpoint)
{
    static const char *const bad[] = {
        "Z0,2000,0", "Z0,2000,16", "Z0,40000,1", "Z5,2000,1",    "Z",
        "Z0",        "Z0,",        "Z0,2000",    "Z0,2000,",     "Z1,2000,2",
        "Z2,2001,2", "Z2,2000,3",  "Z2,2000,10", "Z2,2000,0",    "Zffffffffffffffff,0,1",
        "z5,2000,1", "z0,2000",    "Z3,2004,8",  "Z0,2000,1;X1",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        expect_error(bad[i]);
    ck_assert_uint_eq(*byte_at(0x2000), 0);
    tell("c");
    ck_assert_uint_eq(armed[0].control, 0);
}
END_TEST

START_TEST(there_are_four_debug_registers)
{
    expect("Z1,1000,1", "OK");
    expect("Z2,2000,8", "OK");
    expect("Z4,3004,4", "OK");
    expect("Z3,4002,2", "OK");
    expect("Z3,4002,2", "OK"); /* the same */
    expect_error("Z1,5000,1");
    tell("c");
    for (unsigned i = 0; i < CPUS; i++) {
        ck_assert_uint_eq(armed[i].control, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP);
        ck_assert_uint_eq(armed[i].arch.debugreg[0], 0x1000);
        ck_assert_uint_eq(armed[i].arch.debugreg[3], 0x4002);
        /* LEN3=01 RW3=11, LEN2=11 RW2=11, LEN1=10 RW1=01, LEN0=00 RW0=00; GE; G3 to G0 */
        ck_assert_uint_eq(armed[i].arch.debugreg[7], 0x7f9002aa);
    }
}
END_TEST

START_TEST(breakpoints_have_a_limit)
{
    char packet[32];
    unsigned set = 0;

    for (unsigned i = 0; i < 100000; i++) {
        snprintf(packet, sizeof packet, "Z0,%x,1", 0x4000 + i);
        set += strcmp(tell(packet), "OK") == 0;
    }
    ck_assert_uint_eq(set, BREAKPOINTS_MAX);
    hang_up();
    for (gpa_t at = 0x4000; at < RAM; at++)
        ck_assert_uint_eq(*byte_at(at), 0);
}
END_TEST

/* ---- going on, and standing again ---- */

START_TEST(a_breakpoint_stops_all_processors)
{
    tell("qSupported:swbreak+;hwbreak+");
    expect("Z0,1001,1", "OK");
    tell("vCont;c");
    ck_assert(running[0] && running[1] && running[2]);
    hear_nothing();
    meet(1, 3, 0x1001, 0);
    ck_assert_str_eq(said, "$T05thread:2;swbreak:;#3c");
    ck_assert(stands);
    expect("qC", "QC2");
    expect("p10", "0110000000000000"); /* of that processor */
}
END_TEST

START_TEST(a_watchpoint_says_what_was_touched)
{
    expect("Z1,9000,1", "OK");
    expect("Z2,2000,4", "OK");
    tell("c");
    hear_nothing();
    meet(2, 1, 0x1002, 0x2);
    ck_assert_ptr_nonnull(strstr(said, "T05thread:3;watch:2000;"));
}
END_TEST

START_TEST(the_guest_s_own_int3_is_given_back)
{
    expect("Z0,2000,1", "OK");
    tell("c");
    hear_nothing();
    meet(1, 3, 0x1001, 0);
    ck_assert_str_eq(said, "");
    ck_assert(!stands && running[1]);
    ck_assert(armed[1].control & KVM_GUESTDBG_INJECT_BP);
    ck_assert(!(armed[0].control & KVM_GUESTDBG_INJECT_BP));
    meet(0, 1, 0x1000, 0x4000); /* its own single step */
    ck_assert_str_eq(said, "");
    ck_assert(armed[0].control & KVM_GUESTDBG_INJECT_DB);
    ck_assert(!(armed[1].control & KVM_GUESTDBG_INJECT_BP)); /* once */
}
END_TEST

START_TEST(a_step_is_of_one_processor)
{
    tell("vCont;s:2");
    ck_assert(!running[0] && running[1] && !running[2]);
    ck_assert_uint_eq(armed[1].control, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
    ck_assert_uint_eq(armed[0].control, 0);
    hear_nothing();
    meet(1, 1, 0x1001, 0x4000);
    ck_assert_ptr_nonnull(strstr(said, "$T05thread:2;#"));
    tell("vCont;s:3;c");
    ck_assert(running[0] && running[1] && running[2]);
    ck_assert_uint_eq(armed[0].control, 0);
    ck_assert_uint_eq(armed[2].control, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
}
END_TEST

START_TEST(two_watchpoints_at_once_are_told_one_after_the_other)
{
    expect("Z2,2000,4", "OK");
    tell("c");
    hits[1] = hits[2] = (struct kvm_debug_exit_arch){.exception = 1, .dr6 = 1};
    has_hit[1] = has_hit[2] = true;
    hear_nothing();
    gdb_stub_hit(&stub);
    settle();
    ck_assert_ptr_nonnull(strstr(said, "thread:2;watch:2000;"));
    ck_assert_ptr_null(strstr(said, "thread:3;"));
    hear_nothing();
    send_packet("c", 1);
    ck_assert_ptr_nonnull(strstr(said, "thread:3;watch:2000;"));
    ck_assert(stands);
    hear_nothing();
    send_packet("c", 1);
    ck_assert_str_eq(said, "+");
    ck_assert(!stands);
}
END_TEST

START_TEST(an_interrupt_stops_once)
{
    static const uint8_t many[1000] = {[0 ... 999] = 0x03};

    tell("c");
    hear_nothing();
    stops = 0;
    send_bytes(many, sizeof many);
    ck_assert_str_eq(said, "$T02thread:1;#d4");
    ck_assert_uint_eq(stops, 1);
    hear_nothing();
    send_bytes("$m2000,1\x03#00", 12); /* inside a packet it is none */
    ck_assert_str_eq(said, "-");
    ck_assert_uint_eq(stops, 1);
}
END_TEST

START_TEST(the_guest_runs_while_bytes_drip_in)
{
    tell("c");
    stops = 0;
    send_bytes("$g#6", 4);
    ck_assert(!stands);
    hear_nothing();
    send_bytes("7", 1);
    ck_assert_str_eq(said, "+$E10#a6"); /* not while it runs */
    ck_assert_uint_eq(stops, 0);
}
END_TEST

START_TEST(one_goes_on_where_told_if_there_is_such_a_place)
{
    static const char *const bad[] = {
        "cz", "c1,", "szz", "C", "Cz", "C05;z", "S", "C05x", "c10000000000000000"};

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        expect_error(bad[i]);
    ck_assert(stands);
    tell("c2000");
    ck_assert_uint_eq(registers[0].general.rip, 0x2000);
    ck_assert(!stands);
    meet(0, 1, 0, 0);
    send_bytes("\x03", 1);
    tell("C05;3000");
    ck_assert_uint_eq(registers[0].general.rip, 0x3000);
    send_bytes("\x03", 1);
    registers[0].special.efer = EFER_LME | EFER_LMA;
    registers[0].special.cr0 = 0x80000011;
    registers[0].special.cr4 = CR4_PAE;
    registers[0].special.cs.l = 1;
    registers[0].special.cs.db = 0;
    tell("c8000000000000000");
    ck_assert_uint_ne(registers[0].general.rip, UINT64_C(0x8000000000000000));
}
END_TEST

START_TEST(actions_that_make_no_sense_do_nothing)
{
    static const char *const bad[] = {
        "vCont;",     "vCont;x",    "vCont;c:0",  "vCont;c:ffffffff", "vCont;c:4",
        "vCont;c:",   "vCont;c;",   "vCont;t",    "vCont;C",          "vCont;Czz",
        "vCont;c:1x", "vCont;c:-2", "vCont;r1,2", "vCont;s:1;;",      "vCont;c 1",
    };
    char many[6 + 2 * 1000 + 1] = "vCont";

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        expect_error(bad[i]);
    ck_assert(stands);
    for (unsigned i = 0; i < 1000; i++)
        strcat(many, ";s");
    expect(many, ""); /* the first that fits counts */
    ck_assert(!stands);
    send_bytes("\x03", 1);
    refuse_arm = true;
    expect_error("vCont;c");
    ck_assert(stands);
}
END_TEST

/* ---- questions ---- */

START_TEST(processors_are_threads)
{
    static const char *const bad[] = {"T0",
                                      "T4",
                                      "T",
                                      "Tz",
                                      "T-1",
                                      "Hg4",
                                      "Hx1",
                                      "H",
                                      "Hg",
                                      "Hg1,",
                                      "qThreadExtraInfo,0",
                                      "qThreadExtraInfo,9"};

    expect("qfThreadInfo", "m1,2,3");
    expect("qsThreadInfo", "l");
    expect("qThreadExtraInfo,2", "43505523312c2068616c746564"); /* CPU#1, halted */
    expect("T3", "OK");
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        expect_error(bad[i]);
    expect("Hg3", "OK");
    expect("p10", "0210000000000000");
    expect("Hc-1", "OK");
    expect("Hg0", "OK");
    expect("qC", "QC3");
    expect("?", "T05thread:3;");
    expect("qAttached", "1");
}
END_TEST

START_TEST(a_monitor_s_line_is_passed_on)
{
    static const char *const bad[] = {"qRcmd,6", "qRcmd,zz", "qRcmd,6x"};
    char packet[2000] = "qRcmd,";

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        expect_error(bad[i]);
    for (unsigned i = 0; i < 300; i++)
        strcat(packet, "61");
    expect_error(packet);
    ck_assert_uint_eq(commands, 0);
    expect("qRcmd,6162", "746f6c643a2061620a"); /* "told: ab\n" */
    ck_assert_uint_eq(commands, 1);
}
END_TEST

/* Whatever comes with a right sum: an answer that is a packet, and nobody is hurt. */
START_TEST(random_packets_are_survived)
{
    static const char *const heads[] = {
        "m", "M",      "X", "Z0,",      "Z2,", "z0,", "G",
        "P", "vCont;", "p", "H",        "c",   "s",   "qXfer:features:read:",
        "T", "qRcmd,", "C", "vCont;c:", "g",   "?",   "qSupported"};
    static const char letters[] = "0123456789abcdef,;:=-xcsCS#$}*\x03";
    uint32_t x = 7;
    char packet[64];

    for (unsigned i = 0; i < 200000; i++) {
        const char *head;
        size_t length;

        x = x * 1664525 + 1013904223;
        head = heads[(x >> 16) % ARRAY_SIZE(heads)];
        length = strlen(strcpy(packet, head));
        for (unsigned more = (x >> 8) % 24; more > 0; more--) {
            x = x * 1664525 + 1013904223;
            packet[length++] = letters[(x >> 20) % (sizeof letters - 1)];
        }
        hear_nothing();
        send_packet(packet, length);
        if (!stands)
            send_bytes("\x03", 1);
        if (!stub.attached) {
            hang_up();
            connect_gdb();
        }
    }
    send_bytes("#00", 3);
    hang_up();
    connect_gdb();
    expect("Hg1", "OK");
    expect("qC", "QC1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("07 gdb's packets");
    TCase *tests = tcase_create("stub");

    tcase_add_checked_fixture(tests, power_up, power_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_guest_stands_while_somebody_is_connected);
    tcase_add_test(tests, who_comes_after_another_finds_nothing_of_his);
    tcase_add_test(tests, a_debugger_that_leaves_takes_its_breakpoints_with_it);
    tcase_add_test(tests, a_connection_lost_while_the_guest_runs_is_a_detach);
    tcase_add_test(tests, the_end_is_told_to_who_waits_for_it);
    tcase_add_test(tests, a_crash_is_a_signal);
    tcase_add_test(tests, kill_ends_the_machine);
    tcase_add_test(tests, a_wrong_sum_does_nothing);
    tcase_add_test(tests, a_minus_says_the_last_answer_again);
    tcase_add_test(tests, garbage_between_packets_is_nothing);
    tcase_add_test(tests, a_packet_without_end_is_not_kept);
    tcase_add_test(tests, both_do_without_acks);
    tcase_add_test(tests, what_is_unknown_has_an_empty_answer);
    tcase_add_test(tests, memory_is_read_and_written);
    tcase_add_test(tests, memory_that_is_not_there_is_an_error);
    tcase_add_test(tests, an_answer_is_no_longer_than_a_packet);
    tcase_add_test(tests, addresses_are_the_guest_s_own);
    tcase_add_test(tests, no_page_table_leads_astray);
    tcase_add_test(tests, registers_have_numbers);
    tcase_add_test(tests, all_registers_at_once_come_back_as_they_went);
    tcase_add_test(tests, what_no_processor_could_have_is_refused);
    tcase_add_test(tests, the_description_is_whole_in_any_pieces);
    tcase_add_test(tests, a_debugger_sees_the_guest_s_byte);
    tcase_add_test(tests, what_the_guest_writes_over_a_breakpoint_stays);
    tcase_add_test(tests, nonsense_is_no_breakpoint);
    tcase_add_test(tests, there_are_four_debug_registers);
    tcase_add_test(tests, breakpoints_have_a_limit);
    tcase_add_test(tests, a_breakpoint_stops_all_processors);
    tcase_add_test(tests, a_watchpoint_says_what_was_touched);
    tcase_add_test(tests, the_guest_s_own_int3_is_given_back);
    tcase_add_test(tests, a_step_is_of_one_processor);
    tcase_add_test(tests, two_watchpoints_at_once_are_told_one_after_the_other);
    tcase_add_test(tests, an_interrupt_stops_once);
    tcase_add_test(tests, the_guest_runs_while_bytes_drip_in);
    tcase_add_test(tests, one_goes_on_where_told_if_there_is_such_a_place);
    tcase_add_test(tests, actions_that_make_no_sense_do_nothing);
    tcase_add_test(tests, processors_are_threads);
    tcase_add_test(tests, a_monitor_s_line_is_passed_on);
    tcase_add_test(tests, random_packets_are_survived);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
