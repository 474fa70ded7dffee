/*
 * test_uart.c: what [PC16550D] says of each register, as facts. It is long because
 * a chip with twelve registers behind eight addresses has many facts.
 *
 * The port stands on a real bus at 0x3f8, its sink is an array with adjustable
 * room, its interrupt line a counter of edges. Several of the tests name a
 * mistake that a widely used VMM has shipped.
 */
#include <stdlib.h>
#include <string.h>

#include "04-devices/bus.h"
#include "04-devices/uart.h"
#include "common/bits.h"
#include "harness/harness.h"

#define COM1 0x3f8u

/* A port with everything around it that a test wants to see or turn. */
struct bench {
    struct uart uart;
    struct bus bus;
    char sent[70000];
    size_t sent_count, room; /* of the sink */
    bool level;
    unsigned rises, falls, room_calls;
};

static struct bench bench;

static size_t sink_put(void *self, const uint8_t *bytes, size_t count)
{
    struct bench *b = self;
    size_t taken = count < b->room ? count : b->room;

    memcpy(b->sent + b->sent_count, bytes, taken);
    b->sent_count += taken;
    b->room -= taken;
    return taken;
}

static void line_set(void *self, bool level)
{
    struct bench *b = self;

    ck_assert(b->level != level); /* the wire is only touched when it changes */
    b->level = level;
    b->rises += level;
    b->falls += !level;
}

static void on_room(void *self)
{
    ((struct bench *)self)->room_calls++;
}

static void power_up(void)
{
    memset(&bench, 0, sizeof bench);
    bench.room = sizeof bench.sent;
    uart_init(&bench.uart, (struct irq_line){line_set, &bench},
              (struct byte_sink){sink_put, &bench});
    uart_on_room(&bench.uart, on_room, &bench);
    bus_add(&bench.bus,
            &(struct bus_range){COM1, UART_REGISTERS, 1, uart_read, uart_write, &bench.uart, NULL});
}

static uint8_t in(unsigned reg)
{
    return (uint8_t)bus_read(&bench.bus, COM1 + reg, 1);
}

static void out(unsigned reg, uint8_t value)
{
    bus_write(&bench.bus, COM1 + reg, 1, value);
}

static size_t type(const char *text)
{
    return uart_receive(&bench.uart, (const uint8_t *)text, strlen(text));
}

/* FIFOs on with the given trigger bits, interrupts connected, ier enabled. */
static void driver_start(uint8_t trigger, uint8_t ier)
{
    out(UART_FCR, trigger | UART_FCR_ENABLE);
    out(UART_MCR, UART_MCR_OUT2 | UART_MCR_RTS | UART_MCR_DTR);
    in(UART_MSR);
    out(UART_IER, ier);
}

START_TEST(reset_values_match_the_data_sheet)
{
    /* [PC16550D, table 1 "UART Reset Configuration"] */
    ck_assert_uint_eq(in(UART_IER), 0x00);
    ck_assert_uint_eq(in(UART_IIR), 0x01);
    ck_assert_uint_eq(in(UART_LCR), 0x00);
    ck_assert_uint_eq(in(UART_MCR), 0x00);
    ck_assert_uint_eq(in(UART_LSR), 0x60);
    ck_assert_uint_eq(in(UART_MSR)&0x0f, 0x00);
    ck_assert_uint_eq(bench.rises, 0);
}
END_TEST

START_TEST(divisor_is_sixteen_bits)
{
    for (unsigned divisor = 0; divisor <= 0xffff; divisor++) {
        out(UART_LCR, UART_LCR_DLAB | 3);
        out(0, divisor & 0xff);
        out(1, (uint8_t)(divisor >> 8));
        out(0, (uint8_t)~divisor);
        out(0, divisor & 0xff); /* the high byte survives */
        out(UART_LCR, 3);
        out(UART_IER, 0x05);
        out(UART_LCR, UART_LCR_DLAB | 3);
        if (in(0) != (divisor & 0xff) || in(1) != divisor >> 8)
            ck_abort_msg("divisor %#x reads %02x%02x", divisor, in(1), in(0));
    }
    ck_assert_uint_eq(bench.sent_count, 0);
    ck_assert_uint_eq(bench.rises, 0); /* and no speed makes it busy */
}
END_TEST

START_TEST(dlab_hides_data_and_ier_and_nothing_else)
{
    out(UART_IER, 0x0f);
    out(UART_LCR, UART_LCR_DLAB);
    out(0, 0x12);
    out(1, 0x34);
    out(UART_SCR, 0x56);
    type("a");
    ck_assert_uint_eq(in(0), 0x12);
    ck_assert_uint_eq(in(UART_LSR)&UART_LSR_DR, UART_LSR_DR); /* not consumed */
    ck_assert_uint_eq(in(UART_SCR), 0x56);
    out(UART_LCR, 0);
    ck_assert_uint_eq(in(UART_IER), 0x0f);
    ck_assert_uint_eq(in(UART_DATA), 'a');
}
END_TEST

START_TEST(each_register_keeps_the_bits_it_has)
{
    static const struct {
        unsigned reg;
        uint8_t mask;
    } rows[] = {{UART_IER, 0x0f}, {UART_LCR, 0x7f}, {UART_MCR, 0x1f}, {UART_SCR, 0xff}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned value = 0; value < 256; value++) {
            out(rows[i].reg, (uint8_t)value & (rows[i].reg == UART_LCR ? 0x7f : 0xff));
            ck_assert_uint_eq(in(rows[i].reg), value & rows[i].mask);
        }
}
END_TEST

START_TEST(lsr_and_msr_are_read_only)
{
    uint8_t lsr = in(UART_LSR), msr = in(UART_MSR);

    for (unsigned value = 0; value < 256; value++) {
        out(UART_LSR, (uint8_t)value);
        out(UART_MSR, (uint8_t)value);
    }
    ck_assert_uint_eq(in(UART_LSR), lsr);
    ck_assert_uint_eq(in(UART_MSR), msr);
}
END_TEST

START_TEST(bytes_are_sent_in_order)
{
    for (const char *c = "hello"; *c; c++) {
        ck_assert_uint_eq(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
        out(UART_DATA, (uint8_t)*c);
    }
    ck_assert_str_eq(bench.sent, "hello");
}
END_TEST

START_TEST(rep_outsb_sends_every_byte)
{
    static uint8_t data[65535];

    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    bus_write_string(&bench.bus, COM1, 1, sizeof data, data);
    ck_assert_uint_eq(bench.sent_count, sizeof data);
    ck_assert(memcmp(bench.sent, data, sizeof data) == 0);
    ck_assert_uint_eq(in(UART_IER), 0); /* the port did not advance */
}
END_TEST

START_TEST(wide_accesses_are_bytes_of_neighbouring_registers)
{
    out(UART_SCR, 0x5a);
    out(UART_LCR, 0x03);
    type("A");
    ck_assert_uint_eq(bus_read(&bench.bus, COM1, 4), 0x03010041);
    ck_assert_uint_eq(bus_read(&bench.bus, COM1 + 7, 2), 0xff5a);
    bus_write(&bench.bus, COM1, 4, 0x13010042); /* THR, IER, FCR, LCR */
    ck_assert_uint_eq(bench.sent[0], 0x42);
    ck_assert_uint_eq(in(UART_IER), 0x00);
    ck_assert_uint_eq(in(UART_IIR), UART_IIR_FIFOS | UART_IIR_NONE);
    ck_assert_uint_eq(in(UART_LCR), 0x13);
}
END_TEST

/* Counts, and checks the order of what it counts: byte n is n modulo 251. */
static size_t count_in_order(void *self, const uint8_t *bytes, size_t count)
{
    size_t *taken = self;

    for (size_t i = 0; i < count; i++)
        if (bytes[i] != (*taken)++ % 251)
            ck_abort_msg("byte %zu is %u", *taken - 1, bytes[i]);
    return count;
}

START_TEST(ten_million_bytes_without_a_look_at_lsr_arrive_in_order)
{
    size_t taken = 0;

    uart_init(&bench.uart, (struct irq_line){line_set, &bench},
              (struct byte_sink){count_in_order, &taken});
    for (size_t i = 0; i < 10000000; i++)
        uart_write(&bench.uart, UART_DATA, 1, i % 251);
    ck_assert_uint_eq(taken, 10000000);
}
END_TEST

START_TEST(every_byte_passes_unchanged_both_ways)
{
    out(UART_FCR, UART_FCR_ENABLE);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t typed = (uint8_t)byte;

        out(UART_DATA, typed);
        ck_assert_uint_eq((uint8_t)bench.sent[byte], byte);
        ck_assert_uint_eq(uart_receive(&bench.uart, &typed, 1), 1);
        ck_assert_uint_eq(in(UART_DATA), byte);
    }
}
END_TEST

START_TEST(what_the_sink_refuses_waits_with_thre_clear)
{
    out(UART_FCR, UART_FCR_ENABLE);
    bench.room = 2;
    for (char c = 'a'; c < 'a' + 18; c++)
        out(UART_DATA, (uint8_t)c);
    ck_assert_uint_eq(bench.sent_count, 2);
    ck_assert_uint_eq(in(UART_LSR), 0);

    bench.room = 5;
    uart_drain(&bench.uart);
    ck_assert_uint_eq(bench.sent_count, 7);
    ck_assert_uint_eq(in(UART_LSR), 0);

    bench.room = 100;
    uart_drain(&bench.uart);
    ck_assert_str_eq(bench.sent, "abcdefghijklmnopqr");
    ck_assert_uint_eq(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}
END_TEST

START_TEST(a_driver_that_ignores_thre_loses_bytes_but_not_order)
{
    bench.room = 0;
    out(UART_FCR, UART_FCR_ENABLE);
    for (unsigned i = 0; i < 1000; i++)
        out(UART_DATA, (uint8_t)('a' + i % 26));
    bench.room = 100;
    uart_drain(&bench.uart);
    ck_assert_str_eq(bench.sent, "abcdefghijklmnop");
}
END_TEST

START_TEST(without_fifos_one_byte_waits)
{
    bench.room = 0;
    out(UART_DATA, 'x');
    ck_assert_uint_eq(in(UART_LSR), 0);
    out(UART_DATA, 'y');
    bench.room = 100;
    uart_drain(&bench.uart);
    ck_assert_str_eq(bench.sent, "x");
}
END_TEST

START_TEST(drain_of_an_idle_port_does_nothing)
{
    driver_start(0, UART_IER_ETBEI);
    in(UART_IIR);
    uart_drain(&bench.uart);
    ck_assert_uint_eq(in(UART_IIR), UART_IIR_FIFOS | UART_IIR_NONE);
}
END_TEST

START_TEST(enabling_the_thre_interrupt_on_an_idle_port_raises_it)
{
    /* Linux decides by this whether the chip is broken ("THRE test"). */
    for (unsigned i = 0; i < 3; i++) {
        driver_start(0, UART_IER_ETBEI);
        ck_assert(bench.level);
        ck_assert_uint_eq(in(UART_IIR), UART_IIR_FIFOS | UART_IIR_THRE);
        out(UART_IER, 0);
    }
}
END_TEST

START_TEST(reading_iir_clears_the_thre_interrupt)
{
    driver_start(0, UART_IER_ETBEI);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_THRE);
    ck_assert(!bench.level);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_NONE);
    ck_assert_uint_eq(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT); /* the fact stays */
}
END_TEST

START_TEST(reading_iir_keeps_thre_while_something_else_is_reported)
{
    driver_start(0, UART_IER_ETBEI | UART_IER_ERBFI);
    type("x");
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_RECEIVED);
    in(UART_DATA);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_THRE);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_NONE);
}
END_TEST

START_TEST(each_byte_sent_makes_a_new_edge)
{
    /* A handler that answers THRE by writing, without reading IIR, sees the next. */
    driver_start(0, UART_IER_ETBEI);
    for (unsigned i = 1; i <= 5; i++) {
        ck_assert_uint_eq(bench.rises, i);
        out(UART_DATA, 'x');
        ck_assert_uint_eq(bench.falls, i);
        ck_assert(bench.level);
    }
}
END_TEST

START_TEST(thre_interrupt_waits_for_a_full_sink)
{
    driver_start(0, UART_IER_ETBEI);
    bench.room = 0;
    out(UART_DATA, 'x');
    ck_assert(!bench.level);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_NONE);
    out(UART_IER, 0);
    out(UART_IER, UART_IER_ETBEI); /* not idle, so enabling raises nothing */
    ck_assert(!bench.level);
    bench.room = 1;
    uart_drain(&bench.uart);
    ck_assert(bench.level);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_THRE);
}
END_TEST

START_TEST(an_unacknowledged_interrupt_is_one_edge)
{
    driver_start(0, UART_IER_ERBFI);
    for (unsigned i = 0; i < 1000; i++)
        type("x");
    ck_assert_uint_eq(bench.rises, 1);
    ck_assert_uint_eq(bench.falls, 0);
}
END_TEST

START_TEST(out2_connects_the_interrupt_line)
{
    out(UART_IER, UART_IER_ERBFI);
    type("x");
    ck_assert_uint_eq(in(UART_IIR), UART_IIR_RECEIVED); /* the chip knows */
    ck_assert(!bench.level);                            /* the PC does not */
    out(UART_MCR, UART_MCR_OUT2);
    ck_assert(bench.level);
    out(UART_MCR, UART_MCR_OUT1 | UART_MCR_DTR | UART_MCR_RTS);
    ck_assert(!bench.level);
}
END_TEST

START_TEST(causes_have_priorities)
{
    driver_start(0, 0x0f);                        /* THRE is pending from here on */
    out(UART_MCR, UART_MCR_OUT2 | UART_MCR_LOOP); /* CTS and DSR go: modem status */
    out(UART_MCR, UART_MCR_OUT2);
    uart_receive_break(&bench.uart); /* line status, and a byte */
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_LINE_STATUS);
    in(UART_LSR);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_RECEIVED);
    in(UART_DATA);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_THRE);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_MODEM_STATUS);
    ck_assert(bench.level);
    in(UART_MSR);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_NONE);
    ck_assert(!bench.level);
}
END_TEST

START_TEST(each_cause_needs_its_own_enable_bit)
{
    static const struct {
        uint8_t ier, iir;
    } rows[] = {
        {UART_IER_ERBFI, UART_IIR_RECEIVED},
        {UART_IER_ETBEI, UART_IIR_THRE},
        {UART_IER_ELSI, UART_IIR_LINE_STATUS},
        {UART_IER_EDSSI, UART_IIR_MODEM_STATUS},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        power_up();
        uart_receive_break(&bench.uart);
        out(UART_MCR, UART_MCR_LOOP);
        out(UART_IER, rows[i].ier);
        ck_assert_uint_eq(in(UART_IIR), rows[i].iir);
    }
}
END_TEST

START_TEST(trigger_levels_tell_data_from_time_out)
{
    static const struct {
        uint8_t fcr;
        unsigned level;
    } rows[] = {{0x00, 1}, {0x40, 4}, {0x80, 8}, {0xc0, 14}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        power_up();
        driver_start(rows[i].fcr, UART_IER_ERBFI);
        for (unsigned count = 1; count <= UART_FIFO_SIZE; count++) {
            type("x");
            ck_assert_uint_eq(in(UART_IIR)&0x0f,
                              count < rows[i].level ? UART_IIR_TIME_OUT : UART_IIR_RECEIVED);
        }
    }
}
END_TEST

START_TEST(reading_the_last_byte_lowers_the_line)
{
    driver_start(0xc0, UART_IER_ERBFI);
    type("ab");
    ck_assert(bench.level);
    in(UART_DATA);
    ck_assert(bench.level);
    in(UART_DATA);
    ck_assert(!bench.level);
    ck_assert_uint_eq(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}
END_TEST

START_TEST(a_driver_listens_by_rts_by_interrupt_or_by_polling)
{
    ck_assert(!uart_listening(&bench.uart));
    out(UART_MCR, UART_MCR_RTS);
    ck_assert(uart_listening(&bench.uart));
    out(UART_MCR, UART_MCR_RTS | UART_MCR_LOOP);
    ck_assert(!uart_listening(&bench.uart));
    out(UART_IER, UART_IER_ERBFI);
    ck_assert(uart_listening(&bench.uart));
    out(UART_IER, UART_IER_ETBEI);
    out(UART_MCR, 0);
    for (unsigned i = 0; i < 100; i++) { /* a driver that sends looks at LSR, too */
        in(UART_LSR);
        ck_assert(!uart_listening(&bench.uart));
        i % 2 ? out(UART_DATA, 'x') : (void)in(UART_IIR);
    }
    for (unsigned i = 0; i < 300; i++)
        in(UART_LSR);
    ck_assert(uart_listening(&bench.uart));
}
END_TEST

START_TEST(receive_takes_what_fits_and_asks_again)
{
    out(UART_FCR, UART_FCR_ENABLE);
    ck_assert_uint_eq(type("0123456789abcdefXYZ"), 16);
    ck_assert_uint_eq(in(UART_LSR)&UART_LSR_OE, 0); /* nothing was lost */
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_uint_eq(bench.room_calls, 0);
        ck_assert_uint_eq(in(UART_DATA), (uint8_t) "0123456789abcdef"[i]);
    }
    ck_assert_uint_eq(bench.room_calls, 1);
    ck_assert_uint_eq(type("XYZ"), 3);
    for (unsigned i = 0; i < 3; i++)
        in(UART_DATA);
    ck_assert_uint_eq(bench.room_calls, 1); /* nobody waits any more */
}
END_TEST

START_TEST(without_fifos_one_byte_is_received)
{
    ck_assert_uint_eq(type("ab"), 1);
    ck_assert_uint_eq(in(UART_DATA), 'a');
    ck_assert_uint_eq(bench.room_calls, 1);
    uart_receive_break(&bench.uart);
    in(UART_DATA);
    ck_assert_uint_eq(bench.room_calls, 1); /* asked once */
}
END_TEST

START_TEST(resetting_the_receiver_makes_room)
{
    out(UART_FCR, UART_FCR_ENABLE);
    type("0123456789abcdefXYZ");
    out(UART_FCR, UART_FCR_ENABLE | UART_FCR_RCVR_RESET);
    ck_assert_uint_eq(in(UART_LSR)&UART_LSR_DR, 0);
    ck_assert_uint_eq(bench.room_calls, 1);
}
END_TEST

START_TEST(rep_insb_of_an_empty_port_ends)
{
    static uint8_t data[65535];

    type("a");
    memset(data, 0xaa, sizeof data);
    bus_read_string(&bench.bus, COM1, 1, sizeof data, data);
    ck_assert_uint_eq(data[0], 'a');
    ck_assert_uint_eq(data[1], 0);
    ck_assert_uint_eq(data[65534], 0);
}
END_TEST

START_TEST(bytes_the_host_dropped_set_oe_once)
{
    driver_start(0, UART_IER_ELSI);
    uart_receive_lost(&bench.uart);
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_LINE_STATUS);
    ck_assert_uint_eq(in(UART_LSR)&UART_LSR_OE, UART_LSR_OE);
    ck_assert(!bench.level);
    ck_assert_uint_eq(in(UART_LSR)&UART_LSR_OE, 0);
}
END_TEST

START_TEST(ten_thousand_keys_nobody_reads_set_oe)
{
    out(UART_FCR, UART_FCR_ENABLE);
    for (unsigned i = 0; i < 10000; i++)
        if (type("x") == 0)
            uart_receive_lost(&bench.uart); /* a host that can keep no more */
    ck_assert_uint_eq(bench.uart.rx.count, UART_FIFO_SIZE);
    ck_assert_uint_eq(in(UART_LSR) & (UART_LSR_OE | UART_LSR_DR), UART_LSR_OE | UART_LSR_DR);
    ck_assert_uint_eq(bench.room_calls, 0);
}
END_TEST

START_TEST(a_break_shows_when_its_byte_is_next)
{
    out(UART_FCR, UART_FCR_ENABLE);
    type("a");
    uart_receive_break(&bench.uart);
    type("b");
    /* Behind 'a' the FIFO holds an error, but it is not yet the next byte's. */
    ck_assert_uint_eq(in(UART_LSR)&0x9f, UART_LSR_FIFO_ERROR | UART_LSR_DR);
    ck_assert_uint_eq(in(UART_DATA), 'a');
    ck_assert_uint_eq(in(UART_LSR)&0x9f,
                      UART_LSR_FIFO_ERROR | UART_LSR_BI | UART_LSR_FE | UART_LSR_DR);
    ck_assert_uint_eq(in(UART_LSR)&0x9f, UART_LSR_DR);
    ck_assert_uint_eq(in(UART_DATA), 0);
    ck_assert_uint_eq(in(UART_DATA), 'b');
}
END_TEST

START_TEST(fifo_error_bit_needs_fifos)
{
    uart_receive_break(&bench.uart);
    ck_assert_uint_eq(in(UART_LSR)&0x9f, UART_LSR_BI | UART_LSR_FE | UART_LSR_DR);
}
END_TEST

START_TEST(fcr_bits_count_only_with_bit_0)
{
    static const uint8_t sequences[][4] = {
        {0xff, 0xc7, 0x01, 0x07}, {0xc7, 0x00, 0x06, 0xff}, {0x01, 0x02, 0xc1, 0xc7}};

    for (unsigned i = 0; i < ARRAY_SIZE(sequences); i++) {
        power_up();
        for (unsigned j = 0; j < 4; j++) {
            type("abc");
            out(UART_FCR, sequences[i][j]);
            ck_assert_uint_eq(in(UART_IIR) >> 6, sequences[i][j] & 1 ? 3 : 0);
        }
    }
    power_up();
    out(UART_FCR, UART_FCR_ENABLE);
    type("abc");
    out(UART_FCR, UART_FCR_TRIGGER | UART_FCR_ENABLE); /* no reset: bytes stay */
    ck_assert_uint_eq(bench.uart.rx.count, 3);
    out(UART_FCR, UART_FCR_TRIGGER); /* mode changes: both FIFOs are emptied */
    ck_assert_uint_eq(bench.uart.rx.count, 0);
    ck_assert_uint_eq(bench.uart.fcr, 0);
}
END_TEST

START_TEST(receiver_resets_in_any_order_leave_it_empty)
{
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            out(UART_FCR, (uint8_t)first);
            type("abc");
            out(UART_FCR, (uint8_t)second);
            /* Plain tests: a libcheck assertion for each pair takes seconds. */
            if (((second & 3) == 3 || ((first ^ second) & 1)) && bench.uart.rx.count)
                ck_abort_msg("FCR %02x, then %02x: %u bytes", first, second, bench.uart.rx.count);
            if (in(UART_IIR) >> 6 != (second & 1 ? 3 : 0))
                ck_abort_msg("FCR %02x, then %02x: mode", first, second);
        }
}
END_TEST

START_TEST(a_handler_that_feeds_itself_in_loopback_goes_round_no_faster_than_the_guest)
{
    driver_start(0, UART_IER_ERBFI | UART_IER_ETBEI | UART_IER_ELSI);
    out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
    out(UART_DATA, 'x');
    for (unsigned i = 0; i < 100000; i++) {
        switch (in(UART_IIR)&0x0f) {
        case UART_IIR_THRE: out(UART_DATA, 'x'); break;
        case UART_IIR_RECEIVED: out(UART_DATA, in(UART_DATA)); break;
        case UART_IIR_LINE_STATUS: in(UART_LSR); break;
        default: break;
        }
        if (bench.uart.rx.count > UART_FIFO_SIZE || bench.uart.tx.count > 0)
            ck_abort_msg("round %u: %u bytes", i, bench.uart.rx.count);
    }
    ck_assert_uint_eq(bench.sent_count, 0);
    ck_assert_uint_eq(bench.rises, 1); /* the one before loopback cut the line */
}
END_TEST

START_TEST(xmit_reset_drops_what_waits)
{
    driver_start(0, UART_IER_ETBEI);
    bench.room = 0;
    out(UART_DATA, 'x');
    out(UART_FCR, UART_FCR_ENABLE | UART_FCR_XMIT_RESET);
    ck_assert_uint_eq(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
    ck_assert(bench.level);
    bench.room = 100;
    uart_drain(&bench.uart);
    ck_assert_uint_eq(bench.sent_count, 0);
}
END_TEST

START_TEST(loopback_returns_bytes_and_bounds_them)
{
    out(UART_FCR, UART_FCR_ENABLE);
    out(UART_MCR, UART_MCR_LOOP);
    for (unsigned i = 0; i < 100; i++)
        out(UART_DATA, (uint8_t)i);
    ck_assert_uint_eq(bench.sent_count, 0);
    ck_assert_uint_eq(in(UART_LSR), UART_LSR_DR | UART_LSR_OE | UART_LSR_THRE | UART_LSR_TEMT);
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(in(UART_DATA), i); /* the first sixteen survive */
    ck_assert_uint_eq(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}
END_TEST

START_TEST(overrun_without_fifos_overwrites)
{
    out(UART_MCR, UART_MCR_LOOP);
    out(UART_DATA, 'a');
    out(UART_DATA, 'b');
    ck_assert_uint_eq(in(UART_LSR)&0x0f, UART_LSR_DR | UART_LSR_OE);
    ck_assert_uint_eq(in(UART_DATA), 'b');
}
END_TEST

START_TEST(loopback_disconnects_host_and_interrupt_line)
{
    driver_start(0, 0x0f);
    ck_assert(bench.level);
    out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
    ck_assert(!bench.level);
    ck_assert_uint_eq(type("x"), 0);
    uart_receive_break(&bench.uart);
    ck_assert_uint_eq(in(UART_LSR) & (UART_LSR_DR | UART_LSR_BI), 0);
    out(UART_DATA, 'y'); /* causes still show in IIR, as the data sheet promises */
    ck_assert_uint_eq(in(UART_IIR)&0x0f, UART_IIR_RECEIVED);
    in(UART_DATA);
    ck_assert_uint_eq(bench.room_calls, 0);
    out(UART_MCR, UART_MCR_OUT2);
    ck_assert(bench.level);
    ck_assert_uint_eq(bench.room_calls, 1); /* 'x' may come now */
}
END_TEST

START_TEST(loopback_turns_modem_outputs_into_inputs)
{
    static const struct {
        uint8_t mcr, msr;
    } rows[] = {
        {UART_MCR_RTS, UART_MSR_CTS},
        {UART_MCR_DTR, UART_MSR_DSR},
        {UART_MCR_OUT1, UART_MSR_RI},
        {UART_MCR_OUT2, UART_MSR_DCD},
        {0x0a, 0x90}, /* the pattern Linux probes with */
        {0x0f, 0xf0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        out(UART_MCR, UART_MCR_LOOP | rows[i].mcr);
        ck_assert_uint_eq(in(UART_MSR)&0xf0, rows[i].msr);
    }
    out(UART_MCR, 0x0f);
    ck_assert_uint_eq(in(UART_MSR)&0xf0, UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD);
}
END_TEST

START_TEST(modem_changes_are_reported_once)
{
    /* From MCR to MCR, in loopback: the delta bits that must show. */
    static const struct {
        uint8_t from, to, deltas;
    } rows[] = {
        {0, UART_MCR_RTS, UART_MSR_DCTS},
        {UART_MCR_RTS, 0, UART_MSR_DCTS},
        {0, UART_MCR_DTR, UART_MSR_DDSR},
        {0, UART_MCR_OUT2, UART_MSR_DDCD},
        {0, UART_MCR_OUT1, 0},
        {UART_MCR_OUT1, 0, UART_MSR_TERI},
        {0x0f, 0, 0x0f},
        {0x03, 0x03, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        out(UART_MCR, UART_MCR_LOOP | rows[i].from);
        in(UART_MSR);
        out(UART_MCR, UART_MCR_LOOP | rows[i].to);
        ck_assert_msg((in(UART_MSR)&0x0f) == rows[i].deltas, "row %u", i);
        ck_assert_uint_eq(in(UART_MSR)&0x0f, 0);
    }
}
END_TEST

START_TEST(waiting_bytes_follow_the_switch_to_loopback)
{
    out(UART_FCR, UART_FCR_ENABLE);
    bench.room = 0;
    out(UART_DATA, 'a');
    out(UART_DATA, 'b');
    out(UART_MCR, UART_MCR_LOOP);
    ck_assert_uint_eq(in(UART_LSR), UART_LSR_DR | UART_LSR_THRE | UART_LSR_TEMT);
    ck_assert_uint_eq(in(UART_DATA), 'a');
    ck_assert_uint_eq(in(UART_DATA), 'b');
}
END_TEST

START_TEST(hammering_every_register_breaks_nothing)
{
    static const unsigned sizes[] = {1, 2, 4};
    bool sane = true;

    srand(16550);
    for (unsigned i = 0; i < 1000000; i++) {
        uint64_t port = COM1 - 4 + (uint64_t)(rand() % 16);
        unsigned size = sizes[rand() % 3];

        bench.sent_count = 0;
        bench.room = (size_t)(rand() % 20);
        switch (rand() % 6) {
        case 0:
        case 1: bus_write(&bench.bus, port, size, (uint64_t)rand()); break;
        case 2:
        case 3: bus_read(&bench.bus, port, size); break;
        case 4: type(&"0123456789abcdefghij"[rand() % 20]); break;
        default: rand() % 2 ? uart_drain(&bench.uart) : uart_receive_break(&bench.uart); break;
        }
        sane = sane && bench.uart.rx.count <= 16 && bench.uart.tx.count <= 16 &&
               bench.uart.rx.head < 16 && bench.uart.tx.head < 16 &&
               bench.uart.level == bench.level;
    }
    ck_assert(sane);
    /* And a driver that starts over finds a working port. */
    out(UART_LCR, 0);
    out(UART_MCR, 0);
    out(UART_FCR, 0);
    bench.sent_count = 0;
    bench.room = 10;
    uart_drain(&bench.uart);
    out(UART_DATA, '!');
    ck_assert_uint_eq((uint8_t)bench.sent[bench.sent_count - 1], '!');
}
END_TEST

static Suite *uart_suite(void)
{
    Suite *suite = suite_create("04 uart");
    TCase *tests = tcase_create("uart");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, reset_values_match_the_data_sheet);
    tcase_add_test(tests, divisor_is_sixteen_bits);
    tcase_add_test(tests, dlab_hides_data_and_ier_and_nothing_else);
    tcase_add_test(tests, each_register_keeps_the_bits_it_has);
    tcase_add_test(tests, lsr_and_msr_are_read_only);
    tcase_add_test(tests, bytes_are_sent_in_order);
    tcase_add_test(tests, rep_outsb_sends_every_byte);
    tcase_add_test(tests, ten_million_bytes_without_a_look_at_lsr_arrive_in_order);
    tcase_add_test(tests, every_byte_passes_unchanged_both_ways);
    tcase_add_test(tests, wide_accesses_are_bytes_of_neighbouring_registers);
    tcase_add_test(tests, what_the_sink_refuses_waits_with_thre_clear);
    tcase_add_test(tests, a_driver_that_ignores_thre_loses_bytes_but_not_order);
    tcase_add_test(tests, without_fifos_one_byte_waits);
    tcase_add_test(tests, drain_of_an_idle_port_does_nothing);
    tcase_add_test(tests, enabling_the_thre_interrupt_on_an_idle_port_raises_it);
    tcase_add_test(tests, reading_iir_clears_the_thre_interrupt);
    tcase_add_test(tests, reading_iir_keeps_thre_while_something_else_is_reported);
    tcase_add_test(tests, each_byte_sent_makes_a_new_edge);
    tcase_add_test(tests, thre_interrupt_waits_for_a_full_sink);
    tcase_add_test(tests, an_unacknowledged_interrupt_is_one_edge);
    tcase_add_test(tests, out2_connects_the_interrupt_line);
    tcase_add_test(tests, causes_have_priorities);
    tcase_add_test(tests, each_cause_needs_its_own_enable_bit);
    tcase_add_test(tests, trigger_levels_tell_data_from_time_out);
    tcase_add_test(tests, reading_the_last_byte_lowers_the_line);
    tcase_add_test(tests, a_driver_listens_by_rts_by_interrupt_or_by_polling);
    tcase_add_test(tests, receive_takes_what_fits_and_asks_again);
    tcase_add_test(tests, without_fifos_one_byte_is_received);
    tcase_add_test(tests, resetting_the_receiver_makes_room);
    tcase_add_test(tests, rep_insb_of_an_empty_port_ends);
    tcase_add_test(tests, bytes_the_host_dropped_set_oe_once);
    tcase_add_test(tests, ten_thousand_keys_nobody_reads_set_oe);
    tcase_add_test(tests, a_break_shows_when_its_byte_is_next);
    tcase_add_test(tests, fifo_error_bit_needs_fifos);
    tcase_add_test(tests, fcr_bits_count_only_with_bit_0);
    tcase_add_test(tests, receiver_resets_in_any_order_leave_it_empty);
    tcase_add_test(tests,
                   a_handler_that_feeds_itself_in_loopback_goes_round_no_faster_than_the_guest);
    tcase_add_test(tests, xmit_reset_drops_what_waits);
    tcase_add_test(tests, loopback_returns_bytes_and_bounds_them);
    tcase_add_test(tests, overrun_without_fifos_overwrites);
    tcase_add_test(tests, loopback_disconnects_host_and_interrupt_line);
    tcase_add_test(tests, loopback_turns_modem_outputs_into_inputs);
    tcase_add_test(tests, modem_changes_are_reported_once);
    tcase_add_test(tests, waiting_bytes_follow_the_switch_to_loopback);
    tcase_add_test(tests, hammering_every_register_breaks_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(uart_suite());
}
