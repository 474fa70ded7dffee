/*
 * test_console.c: a serial port between pipes, ptys and broken outputs. It is long
 * because each kind of far end needs a setting of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "04-devices/console.h"
#include "harness/harness.h"

#define CTRL_A "\x01"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct console console;
static struct uart uart;
static int wake, keyboard, screen; /* our ends: we type here, we read there */

static void line_set(void *self, bool level)
{
    (void)self, (void)level;
}

static void connect(int in, int out)
{
    wake = eventfd(0, EFD_NONBLOCK);
    console_init(&console, in, out, wake);
    uart_init(&uart, (struct irq_line){.set = line_set}, console_sink(&console));
    uart_write(&uart, UART_FCR, 1, UART_FCR_ENABLE);
    uart_write(&uart, UART_MCR, 1, UART_MCR_RTS);
    console_attach(&console, &uart, &lock);
}

static void power_up(void)
{
    int in[2], out[2];

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(in), 0);
    ck_assert_int_eq(pipe(out), 0);
    keyboard = in[1];
    screen = out[0];
    fcntl(screen, F_SETFL, O_NONBLOCK);
    connect(in[0], out[1]);
}

static void type(const char *keys)
{
    ck_assert_int_eq(write(keyboard, keys, strlen(keys)), (int)strlen(keys));
}

/* The guest prints, and ignores whether the transmitter is ready. */
static void print(const char *text)
{
    pthread_mutex_lock(&lock);
    for (; *text; text++)
        uart_write(&uart, UART_DATA, 1, (uint8_t)*text);
    pthread_mutex_unlock(&lock);
}

static unsigned lsr(void)
{
    return (unsigned)uart_read(&uart, UART_LSR, 1);
}

static unsigned wakes(void)
{
    uint64_t count;

    return read(wake, &count, sizeof count) == sizeof count ? (unsigned)count : 0;
}

/* What the guest can read now, as text. */
static const char *guest_reads(void)
{
    static char text[CONSOLE_KEYS + 64];
    size_t count = 0;

    do {
        console_pump(&console);
        while (lsr() & UART_LSR_DR)
            text[count++] = (char)uart_read(&uart, UART_DATA, 1);
        console_pump(&console);
    } while (uart.rx.count > 0);
    text[count] = '\0';
    return text;
}

static void expect_screen(const char *expected)
{
    char text[256];
    ssize_t got;

    while (console_pump(&console))
        continue;
    got = read(screen, text, sizeof text - 1);
    text[got < 0 ? 0 : got] = '\0';
    ck_assert_str_eq(text, expected);
}

START_TEST(what_the_guest_prints_comes_out)
{
    print("hello\r\n\x1b[1m\x01x\xff");
    expect_screen("hello\r\n\x1b[1m\x01x\xff");
}
END_TEST

START_TEST(the_loop_is_woken_once_for_many_bytes)
{
    print("many bytes");
    ck_assert_uint_eq(wakes(), 1);
    print("more");
    ck_assert_uint_eq(wakes(), 0);
    expect_screen("many bytesmore");
    print("again");
    ck_assert_uint_eq(wakes(), 1);
}
END_TEST

START_TEST(a_reader_who_does_not_read_stops_the_transmitter)
{
    unsigned printed = 0, read_back = 0;
    char text[4096];
    ssize_t got;

    /* Until pipe, ring and FIFO are full: LSR.THRE stays clear. */
    do {
        while (lsr() & UART_LSR_THRE) {
            char byte[2] = {(char)('a' + printed++ % 26), '\0'};

            print(byte);
        }
    } while (console_pump(&console));
    ck_assert(console.blocked);
    ck_assert_uint_ge(printed, CONSOLE_RING);
    ck_assert_uint_le(console.ring_count, CONSOLE_RING);

    /* Then somebody reads, and has missed nothing. */
    do {
        got = read(screen, text, sizeof text);
        for (ssize_t i = 0; i < got; i++)
            ck_assert_msg(text[i] == (char)('a' + read_back++ % 26), "order lost");
        console_pump(&console);
    } while (got > 0);
    ck_assert_uint_eq(read_back, printed);
    ck_assert(!console.blocked);
    ck_assert_uint_eq(lsr() & UART_LSR_THRE, UART_LSR_THRE);
}
END_TEST

START_TEST(pieces_of_any_size_wrap_around_the_ring)
{
    struct byte_sink sink = console_sink(&console);
    uint8_t piece[1000], text[4096];
    unsigned printed = 0, read_back = 0;
    ssize_t got;

    while (printed < 3 * CONSOLE_RING) {
        for (unsigned i = 0; i < sizeof piece; i++)
            piece[i] = (uint8_t)((printed + i) % 251);
        pthread_mutex_lock(&lock);
        printed += (unsigned)sink.put(sink.self, piece, sizeof piece);
        pthread_mutex_unlock(&lock);
        console_pump(&console);
        while (printed - read_back > 50000 && (got = read(screen, text, sizeof text)) > 0) {
            for (ssize_t i = 0; i < got; i++, read_back++)
                if (text[i] != (uint8_t)(read_back % 251))
                    ck_abort_msg("byte %u is wrong", read_back);
            console_pump(&console);
        }
    }
    ck_assert_uint_gt(read_back, 2 * CONSOLE_RING);
}
END_TEST

START_TEST(flush_gives_up_on_a_reader_who_does_not_read)
{
    static char text[CONSOLE_RING];

    memset(text, 'x', sizeof text - 1);
    print(text);
    while (console_pump(&console))
        continue;
    print(text);
    console_flush(&console); /* a second, and then it returns */
    ck_assert(console.blocked);
}
END_TEST

START_TEST(the_shells_standard_output_stays_blocking)
{
    int out[2];

    ck_assert_int_eq(pipe(out), 0);
    connect(-1, out[1]);
    ck_assert_int_eq(fcntl(out[1], F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(fcntl(console.out, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    console_free(&console);
    ck_assert_int_eq(fcntl(out[1], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(a_full_disk_does_not_stop_the_guest)
{
    connect(-1, open("/dev/full", O_WRONLY));
    for (unsigned i = 0; i < 100000; i++) {
        print("x");
        ck_assert(lsr() & UART_LSR_THRE);
        console_pump(&console);
    }
    ck_assert(console.complained);
}
END_TEST

START_TEST(a_reader_who_has_gone_does_not_stop_the_guest)
{
    close(screen);
    print("x");
    console_pump(&console);
    print("y");
    console_flush(&console);
    ck_assert(lsr() & UART_LSR_THRE);
    ck_assert_uint_eq(console.ring_count, 0);
}
END_TEST

START_TEST(output_to_nowhere_is_dropped)
{
    connect(-1, -1); /* standard output was closed */
    print("x");
    console_pump(&console);
    ck_assert_uint_eq(console.ring_count, 0);
}
END_TEST

START_TEST(a_file_gets_every_byte)
{
    char name[] = "/tmp/consoleXXXXXX";
    int file = mkstemp(name);
    char text[8] = "";

    unlink(name);
    ck_assert_int_eq(write(file, "12", 2), 2);
    connect(-1, file); /* opened anew it would start at its beginning */
    print("345");
    console_flush(&console);
    ck_assert_int_eq(pread(file, text, 7, 0), 5);
    ck_assert_str_eq(text, "12345");
}
END_TEST

START_TEST(keys_reach_the_guest)
{
    type("ls\r");
    ck_assert(!console_read(&console));
    ck_assert_str_eq(guest_reads(), "ls\r");
}
END_TEST

START_TEST(piped_keys_wait_for_a_driver_and_typed_ones_do_not)
{
    uart_write(&uart, UART_MCR, 1, 0);
    type("ls\r");
    console_read(&console);
    console_pump(&console);
    ck_assert_uint_eq(console.key_count, 3);
    console.is_terminal = true;
    console_pump(&console);
    ck_assert_uint_eq(console.key_count, 0);
}
END_TEST

/* Another end, which takes what it likes. */
static char other_got[20];
static size_t other_room;
static bool other_open;

static size_t other_receive(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    count = count < other_room ? count : other_room;
    strncat(other_got, (const char *)bytes, count);
    other_room -= count;
    return count;
}

static bool other_listening(void *self)
{
    (void)self;
    return true;
}

static void other_drain(void *self)
{
    (void)self;
}

static void other_opened(void *self, bool open)
{
    (void)self;
    other_open = open;
}

START_TEST(ctrl_a_c_turns_to_the_other_end_and_back)
{
    struct console_end end = {.receive = other_receive,
                              .listening = other_listening,
                              .drain = other_drain,
                              .opened = other_opened,
                              .self = &other_got};

    console_attach_other(&console, end);
    other_room = 3;
    type("one\x01"
         "chello\x01"
         "ctwo");
    ck_assert(!console_read(&console));
    ck_assert(!other_open);
    ck_assert_str_eq(guest_reads(), "onetwo"); /* each gets its own */
    ck_assert_str_eq(other_got, "hel");
    type("0123456789abcdefghij\x01"
         "c"); /* more than the port's FIFO takes */
    console_read(&console);
    ck_assert(other_open);
    other_room = 10;
    console_pump(&console); /* what it had not taken is still there */
    ck_assert_str_eq(other_got, "hello");
    console_detach(&console);
    console_attach(&console, &uart, &lock); /* a new machine: the first end has the keys again */
    type("\x01"
         "cthree"); /* and there is no other: a question for help */
    console_read(&console);
    ck_assert_str_eq(guest_reads(), "0123456789abcdefghijthree");
}
END_TEST

START_TEST(ctrl_a_x_quits)
{
    type("a" CTRL_A "x");
    ck_assert(console_read(&console));
    ck_assert_str_eq(guest_reads(), "a");
}
END_TEST

START_TEST(a_command_may_come_in_two_pieces)
{
    type("a" CTRL_A);
    ck_assert(!console_read(&console));
    type("x");
    ck_assert(console_read(&console));
}
END_TEST

START_TEST(ctrl_a_ctrl_a_types_one)
{
    type("a" CTRL_A CTRL_A "x" CTRL_A "?b" CTRL_A "hc");
    ck_assert(!console_read(&console));
    ck_assert_str_eq(guest_reads(), "a" CTRL_A "xbc");
}
END_TEST

START_TEST(ctrl_a_b_sends_a_break)
{
    type(CTRL_A "b");
    ck_assert(!console_read(&console));
    ck_assert_uint_eq(lsr() & UART_LSR_BI, UART_LSR_BI);
}
END_TEST

static void press(void *button)
{
    ++*(unsigned *)button;
}

START_TEST(ctrl_a_p_presses_a_power_button_that_is_there)
{
    unsigned presses = 0;

    type(CTRL_A "p");
    ck_assert(!console_read(&console));
    console_on_power(&console, press, &presses);
    type(CTRL_A "pp");
    ck_assert(!console_read(&console));
    ck_assert_uint_eq(presses, 1);
    ck_assert_str_eq(guest_reads(), "p");
}
END_TEST

START_TEST(the_end_of_input_is_noticed_once)
{
    ck_assert(console_wants_input(&console));
    close(keyboard);
    ck_assert(!console_read(&console));
    ck_assert(!console_wants_input(&console));
}
END_TEST

START_TEST(a_pipe_waits_for_a_slow_guest)
{
    unsigned sent = 0, received = 0;
    static char keys[10001];

    for (unsigned i = 0; i < sizeof keys - 1; i++)
        keys[i] = (char)('a' + i % 26);
    type(keys);
    sent = sizeof keys - 1;
    while (console_wants_input(&console)) {
        console_read(&console);
        console_pump(&console);
    }
    ck_assert_uint_eq(console.key_count, CONSOLE_KEYS);
    ck_assert_uint_eq(lsr() & UART_LSR_OE, 0);
    console.keys_moved = 0; /* long ago: a pipe has all the time in the world */
    ck_assert(!console_wants_input(&console));

    fcntl(console.in, F_SETFL, O_NONBLOCK);
    for (unsigned round = 0; received < sent && round < 1000; round++) {
        const char *text = guest_reads();

        for (const char *c = text; *c; c++)
            ck_assert_msg(*c == (char)('a' + received++ % 26), "order lost");
        console_read(&console);
    }
    ck_assert_uint_eq(received, sent);
}
END_TEST

START_TEST(the_guest_asks_for_more_when_it_has_read)
{
    type("0123456789abcdefXYZ");
    console_read(&console);
    console_pump(&console);
    ck_assert_uint_eq(console.key_count, 3);
    wakes();
    for (unsigned i = 0; i < 16; i++)
        uart_read(&uart, UART_DATA, 1);
    ck_assert_uint_eq(wakes(), 1);
    console_pump(&console);
    ck_assert_uint_eq(console.key_count, 0);
}
END_TEST

/* A raw terminal whose other side we hold. */
static void connect_terminal(void)
{
    struct termios raw;
    int own, theirs;

    cfmakeraw(memset(&raw, 0, sizeof raw));
    ck_assert_int_eq(openpty(&own, &theirs, NULL, &raw, NULL), 0);
    keyboard = screen = own;
    fcntl(screen, F_SETFL, O_NONBLOCK);
    connect(theirs, theirs);
    fcntl(theirs, F_SETFL, O_NONBLOCK);
}

START_TEST(a_terminal_is_overrun_only_by_a_guest_that_does_not_read)
{
    unsigned typed = 0;

    connect_terminal();
    while (console_wants_input(&console)) {
        type("0123456789012345678901234567890123456789012345678x");
        typed += 50;
        console_read(&console);
        console_pump(&console);
    }
    ck_assert_uint_ge(typed, CONSOLE_KEYS);
    ck_assert_uint_eq(lsr() & UART_LSR_OE, 0);
    usleep(1100000);
    ck_assert(console_wants_input(&console));
    ck_assert(!console_read(&console));
    ck_assert_uint_eq(console.key_count, CONSOLE_KEYS);
    type("0123456789");
    console_read(&console);
    ck_assert_uint_eq(lsr() & UART_LSR_OE, UART_LSR_OE);
    type(CTRL_A "x");
    ck_assert(console_read(&console));
}
END_TEST

START_TEST(a_terminal_waits_for_a_guest_that_reads)
{
    connect_terminal();
    while (console_wants_input(&console)) {
        type("0123456789012345678901234567890123456789012345678x");
        console_read(&console);
        console_pump(&console);
    }
    usleep(700000);
    for (unsigned i = 0; i < UART_FIFO_SIZE; i++)
        uart_read(&uart, UART_DATA, 1);
    console_pump(&console);
    console_read(&console);
    ck_assert_uint_eq(console.key_count, CONSOLE_KEYS);
    usleep(700000);
    ck_assert(!console_wants_input(&console));
}
END_TEST

START_TEST(a_terminal_shows_what_the_guest_prints)
{
    connect_terminal();
    print("hello");
    expect_screen("hello");
}
END_TEST

static Suite *console_suite(void)
{
    Suite *suite = suite_create("04 console");
    TCase *tests = tcase_create("console");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, what_the_guest_prints_comes_out);
    tcase_add_test(tests, the_loop_is_woken_once_for_many_bytes);
    tcase_add_test(tests, a_reader_who_does_not_read_stops_the_transmitter);
    tcase_add_test(tests, pieces_of_any_size_wrap_around_the_ring);
    tcase_add_test(tests, flush_gives_up_on_a_reader_who_does_not_read);
    tcase_add_test(tests, the_shells_standard_output_stays_blocking);
    tcase_add_test(tests, a_full_disk_does_not_stop_the_guest);
    tcase_add_test(tests, a_reader_who_has_gone_does_not_stop_the_guest);
    tcase_add_test(tests, output_to_nowhere_is_dropped);
    tcase_add_test(tests, a_file_gets_every_byte);
    tcase_add_test(tests, keys_reach_the_guest);
    tcase_add_test(tests, piped_keys_wait_for_a_driver_and_typed_ones_do_not);
    tcase_add_test(tests, ctrl_a_c_turns_to_the_other_end_and_back);
    tcase_add_test(tests, ctrl_a_x_quits);
    tcase_add_test(tests, a_command_may_come_in_two_pieces);
    tcase_add_test(tests, ctrl_a_ctrl_a_types_one);
    tcase_add_test(tests, ctrl_a_b_sends_a_break);
    tcase_add_test(tests, ctrl_a_p_presses_a_power_button_that_is_there);
    tcase_add_test(tests, the_end_of_input_is_noticed_once);
    tcase_add_test(tests, a_pipe_waits_for_a_slow_guest);
    tcase_add_test(tests, the_guest_asks_for_more_when_it_has_read);
    tcase_add_test(tests, a_terminal_is_overrun_only_by_a_guest_that_does_not_read);
    tcase_add_test(tests, a_terminal_waits_for_a_guest_that_reads);
    tcase_add_test(tests, a_terminal_shows_what_the_guest_prints);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(console_suite());
}
