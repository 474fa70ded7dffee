/* The board: its serial port and timer alone, its guests, and faults that are devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "06-tcg/arm/interpret.h"
#include "06-tcg/board/board.h"
#include "common/bits.h"
#include "harness/harness.h"

static char sent[64];
static size_t sent_count, room;
static bool level;
static int64_t time_ns;

static size_t put(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    if (count > room)
        count = room;
    memcpy(sent + sent_count, bytes, count);
    sent_count += count;
    room -= count;
    return count;
}

static void set_level(void *self, bool high)
{
    (void)self;
    level = high;
}

static int64_t now(void *self)
{
    (void)self;
    return time_ns;
}

static struct pl011 uart;
static struct sp804 timer;
static struct board board;

static void setup(void)
{
    memset(sent, 0, sizeof sent);
    sent_count = 0;
    room = sizeof sent - 1;
    level = false;
    time_ns = 1000000;
    pl011_init(&uart, (struct irq_line){set_level, NULL}, (struct byte_sink){put, NULL});
    sp804_init(&timer, (struct clock){now, NULL});
}

static uint64_t reg(uint64_t number)
{
    return pl011_read(&uart, number, 4);
}

static void set(uint64_t number, uint64_t value)
{
    pl011_write(&uart, number, 4, value);
}

START_TEST(a_slow_sink_shows_as_a_full_transmitter)
{
    room = 1;
    set(PL011_DR, 'a');
    ck_assert_uint_eq(reg(PL011_FR) & (PL011_FR_TXFF | PL011_FR_TXFE), PL011_FR_TXFE);
    set(PL011_DR, 'b');
    ck_assert_uint_eq(reg(PL011_FR) & (PL011_FR_TXFF | PL011_FR_TXFE), PL011_FR_TXFF);
    set(PL011_DR, 'c'); /* who does not look loses bytes, the later ones */
    room = 8;
    pl011_drain(&uart);
    ck_assert_uint_eq(reg(PL011_FR) & PL011_FR_TXFF, 0);
    ck_assert_str_eq(sent, "ab");
}
END_TEST

START_TEST(received_bytes_come_in_order_and_sixteen_fit)
{
    uint8_t bytes[20];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    ck_assert_uint_eq(reg(PL011_FR) & PL011_FR_RXFE, PL011_FR_RXFE);
    ck_assert_uint_eq(pl011_receive(&uart, bytes, sizeof bytes), PL011_FIFO);
    ck_assert_uint_eq(reg(PL011_FR) & PL011_FR_RXFF, PL011_FR_RXFF);
    for (unsigned i = 0; i < PL011_FIFO; i++)
        ck_assert_uint_eq(reg(PL011_DR), i);
    ck_assert_uint_eq(reg(PL011_FR) & PL011_FR_RXFE, PL011_FR_RXFE);
    ck_assert_uint_eq(reg(PL011_DR), 0);
}
END_TEST

START_TEST(the_wire_is_raised_for_what_the_mask_wants)
{
    pl011_receive(&uart, (const uint8_t *)"x", 1);
    ck_assert(!level);
    set(PL011_IMSC, PL011_RX);
    ck_assert(level);
    ck_assert_uint_eq(reg(PL011_MIS), PL011_RX);
    reg(PL011_DR);
    ck_assert(!level);
    set(PL011_IMSC, PL011_TX);
    set(PL011_DR, 'y');
    ck_assert(level);
    set(PL011_ICR, PL011_TX);
    ck_assert(!level);
}
END_TEST

START_TEST(the_port_says_who_it_is)
{
    static const uint8_t identity[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    for (unsigned i = 0; i < sizeof identity; i++)
        ck_assert_uint_eq(reg(PL011_ID + 4 * i), identity[i]);
    ck_assert_uint_eq(reg(0xffd), 0);
}
END_TEST

/* Load, control, microseconds; the counter then, and whether it came to zero. */
static const struct {
    uint32_t load, control;
    int64_t microseconds;
    uint32_t value;
    bool zero;
} countdowns[] = {
    {100, 0xc2, 0, 100, false},
    {100, 0xc2, 99, 1, false},
    {100, 0xc2, 100, 100, true},
    {100, 0xc2, 250, 50, true},
    {100, 0x83, 250, 0, true},
    {100, 0x82, 101, 0xffffffff, true},
    {100, 0x80, 101, 0xffff, true},
    {100, 0xc6, 1599, 1, false},
    {100, 0xc6, 1600, 100, true},
    {100, 0xca, 25600, 100, true},
    {100, 0x42, 250, 100, false},
    {0x12345, 0xc0, 0, 0x2345, false},
    {0, 0xc2, 5, 0, true},
    {1, 0xc2, 1000000000, 1, true},
    {0xffffffff, 0xc2, INT64_C(1) << 40, 0xfffffeff, true},
};

START_TEST(the_timer_counts_down_without_being_watched)
{
    for (unsigned i = 0; i < ARRAY_SIZE(countdowns); i++) {
        setup();
        sp804_write(&timer, SP804_CONTROL, 4, countdowns[i].control);
        sp804_write(&timer, SP804_LOAD, 4, countdowns[i].load);
        time_ns += countdowns[i].microseconds * 1000;
        ck_assert_msg(sp804_read(&timer, SP804_VALUE, 4) == countdowns[i].value &&
                          sp804_read(&timer, SP804_RIS, 4) == countdowns[i].zero,
                      "vector %u: value %x, zero %d", i,
                      (unsigned)sp804_read(&timer, SP804_VALUE, 4), timer.reached_zero);
    }
}
END_TEST

START_TEST(a_timer_read_often_counts_as_one_read_once)
{
    sp804_write(&timer, SP804_CONTROL, 4, 0xc2);
    sp804_write(&timer, SP804_LOAD, 4, 1000);
    for (unsigned i = 0; i < 700; i++) {
        time_ns += 999;
        sp804_read(&timer, SP804_VALUE, 4);
    }
    ck_assert_uint_eq(sp804_read(&timer, SP804_VALUE, 4), 1000 - 699);
}
END_TEST

START_TEST(intclr_forgets_zero_until_the_next_one)
{
    sp804_write(&timer, SP804_CONTROL, 4, 0xe2);
    sp804_write(&timer, SP804_LOAD, 4, 10);
    time_ns += 10000;
    ck_assert_uint_eq(sp804_read(&timer, SP804_MIS, 4), 1);
    sp804_write(&timer, SP804_INTCLR, 4, 0);
    ck_assert_uint_eq(sp804_read(&timer, SP804_RIS, 4), 0);
    time_ns += 10000;
    ck_assert_uint_eq(sp804_read(&timer, SP804_RIS, 4), 1);
}
END_TEST

static struct arm_stop interpret(void *self, struct arm_cpu *cpu)
{
    (void)self;
    return arm_run(cpu);
}

static bool run_words(const uint32_t *words, size_t size, struct arm_stop *stop)
{
    bool ended;

    ck_assert_int_eq(board_init(&board, (struct byte_sink){put, NULL}, (struct clock){now, NULL}),
                     0);
    memcpy(space_at(&board.space, BOARD_RAM), words, size);
    board.cpu.r[1] = BOARD_UART;
    ended = board_run(&board, interpret, NULL, stop);
    board_free(&board);
    return ended;
}

START_TEST(any_load_or_store_reaches_a_device)
{
    static const uint32_t words[] = {
        0xe3a00041, /* MOV R0, #'A' */
        0xe4c10001, /* STRB R0, [R1], #1 */
        0xe5412001, /* STRB R2, [R1, #-1] */
        0xe2411001, /* SUB R1, R1, #1 */
        0xe1c100b0, /* STRH R0, [R1] */
        0xe1d130d0, /* LDRSB R3, [R1] */
        0xe5914018, /* LDR R4, [R1, #0x18] */
        0xe3a00018, 0xef123456,
    };
    struct arm_stop stop;

    ck_assert(run_words(words, sizeof words, &stop));
    ck_assert_uint_eq(sent_count, 3);
    ck_assert_mem_eq(sent, "A\0A", 3);
    ck_assert_uint_eq(board.cpu.r[1], BOARD_UART);
    ck_assert_uint_eq(board.cpu.r[4], PL011_FR_RXFE | PL011_FR_TXFE);
}
END_TEST

START_TEST(where_no_device_can_be_it_is_a_fault)
{
    static const uint32_t far[] = {0xe3a01202, 0xe5910000}; /* MOV R1, #2 << 28; LDR */
    static const uint32_t jump[] = {0xe12fff11};            /* BX R1: code in a device */
    static const uint32_t nobody[] = {0xe3a01201, 0xe5910000, 0xe3a00018, 0xef123456};
    struct arm_stop stop;

    ck_assert(!run_words(far, sizeof far, &stop));
    ck_assert_int_eq(stop.reason, ARM_FAULT);
    ck_assert_uint_eq(stop.address, 0x20000000);
    ck_assert(!run_words(jump, sizeof jump, &stop));
    ck_assert_int_eq(stop.access, ARM_EXECUTE);
    ck_assert(run_words(nobody, sizeof nobody, &stop)); /* an empty bus reads as ones */
}
END_TEST

START_TEST(hello_is_heard)
{
    e2e_guest("arm-board", "06-tcg/hello", "chapter 6, \"An interpreter in a page\"");
}
END_TEST

START_TEST(ticks_come)
{
    e2e_guest("arm-board", "06-tcg/ticks", "chapter 6, \"An interpreter in a page\"");
}
END_TEST

START_TEST(the_built_in_guest_is_hello)
{
    const char *argv[] = {harness_built("arm-board"), NULL};

    e2e_run(argv, 0, "Hello from an ARM that is not there.\n", "", "the embedded guest",
            "chapter 6, \"An interpreter in a page\"");
}
END_TEST

/* Every "dd WORD ; text" of a guest against what the disassembler says. */
static void check_comments(const char *path)
{
    char line[200], text[80];
    uint32_t address = BOARD_RAM;
    unsigned compared = 0;
    FILE *file = fopen(path, "r");

    ck_assert_msg(file != NULL, "%s", path);
    while (fgets(line, sizeof line, file)) {
        char *word = strstr(line, "dd "), *comment = strchr(line, ';');
        struct arm_insn insn;

        if (!word || !comment || comment < word || address - BOARD_RAM > 0x1000)
            continue;
        insn = arm_decode((uint32_t)strtoul(word + 3, NULL, 0));
        if (strstr(comment, "finished"))
            break; /* data from here on */
        arm_disassemble(&insn, address, text, sizeof text);
        *strchr(text, '\t') = ' ';
        ck_assert_msg(strncmp(comment + 2, text, strlen(text)) == 0, "%s: %08x is %s, not %s", path,
                      address, text, comment + 2);
        address += 4;
        compared++;
    }
    fclose(file);
    ck_assert_uint_gt(compared, 10);
}

START_TEST(the_guests_words_are_what_their_comments_say)
{
    check_comments("chapters/06-tcg/guest/hello.asm");
    check_comments("chapters/06-tcg/guest/ticks.asm");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("board");
    TCase *tests = tcase_create("board");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_slow_sink_shows_as_a_full_transmitter);
    tcase_add_test(tests, received_bytes_come_in_order_and_sixteen_fit);
    tcase_add_test(tests, the_wire_is_raised_for_what_the_mask_wants);
    tcase_add_test(tests, the_port_says_who_it_is);
    tcase_add_test(tests, the_timer_counts_down_without_being_watched);
    tcase_add_test(tests, a_timer_read_often_counts_as_one_read_once);
    tcase_add_test(tests, intclr_forgets_zero_until_the_next_one);
    tcase_add_test(tests, any_load_or_store_reaches_a_device);
    tcase_add_test(tests, where_no_device_can_be_it_is_a_fault);
    tcase_add_test(tests, hello_is_heard);
    tcase_add_test(tests, ticks_come);
    tcase_add_test(tests, the_built_in_guest_is_hello);
    tcase_add_test(tests, the_guests_words_are_what_their_comments_say);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
