/*
 * test_i8042.c: the keyboard controller as Linux's driver probes it, its sockets, and
 * the three ways to pull the reset line (the other two are reset.c's).
 */
#include <stdlib.h>
#include <string.h>

#include "04-devices/bus.h"
#include "04-devices/i8042.h"
#include "04-devices/input.h"
#include "04-devices/reset.h"
#include "04-devices/scancodes.h"
#include "common/bits.h"
#include "harness/harness.h"

/* One end of a wire: its level, and how often it rose. */
struct wire {
    bool level;
    unsigned rises;
};

static struct i8042 controller;
static struct reset_ports ports;
static struct bus bus;
static struct wire kbd, aux, reset;

static void wire_set(void *self, bool level)
{
    struct wire *wire = self;

    wire->rises += level;
    wire->level = level;
}

static struct irq_line to(struct wire *wire)
{
    return (struct irq_line){wire_set, wire};
}

static void power_up(void)
{
    kbd = aux = reset = (struct wire){0};
    memset(&bus, 0, sizeof bus);
    i8042_init(&controller, to(&kbd), to(&aux), to(&reset));
    reset_init(&ports, to(&reset));
    bus_add(&bus, &(struct bus_range){I8042_DATA, 1, 1, i8042_data_read, i8042_data_write,
                                      &controller, NULL});
    bus_add(&bus, &(struct bus_range){I8042_STATUS, 1, 1, i8042_status_read, i8042_command_write,
                                      &controller, NULL});
    bus_add(&bus, &(struct bus_range){RESET_PORT_A, 1, 1, reset_port_a_read, reset_port_a_write,
                                      &ports, NULL});
    bus_add(&bus, &(struct bus_range){RESET_CONTROL, 4, 4, reset_control_read, reset_control_write,
                                      &ports, NULL});
}

/* A device that says what it is told to say, and remembers what it was sent. */
struct stub {
    const char *says;
    uint8_t heard[16];
    unsigned count;
};

static struct stub stub_keyboard, stub_mouse;

static void stub_send(void *self, uint8_t byte)
{
    struct stub *stub = self;

    if (stub->count < sizeof stub->heard)
        stub->heard[stub->count++] = byte;
}

static bool stub_fetch(void *self, uint8_t *byte)
{
    struct stub *stub = self;

    if (!*stub->says)
        return false;
    *byte = (uint8_t)*stub->says++;
    return true;
}

static void plug(const char *keyboard, const char *mouse)
{
    stub_keyboard = (struct stub){.says = keyboard};
    stub_mouse = (struct stub){.says = mouse};
    i8042_plug_keyboard(&controller, (struct ps2_device){stub_send, stub_fetch, &stub_keyboard});
    i8042_plug_mouse(&controller, (struct ps2_device){stub_send, stub_fetch, &stub_mouse});
}

static uint8_t in(unsigned port)
{
    return (uint8_t)bus_read(&bus, port, 1);
}

static void out(unsigned port, unsigned value)
{
    bus_write(&bus, port, 1, value);
}

static uint8_t ask(unsigned command)
{
    out(0x64, command);
    ck_assert_uint_eq(in(0x64) & I8042_STATUS_OBF, I8042_STATUS_OBF);
    return in(0x60);
}

static uint8_t ask_with(unsigned command, unsigned parameter)
{
    out(0x64, command);
    out(0x60, parameter);
    return in(0x60);
}

START_TEST(the_controller_is_idle_after_power_up)
{
    ck_assert_uint_eq(in(0x64), I8042_STATUS_SYSTEM | I8042_STATUS_UNLOCK);
    ck_assert_uint_eq(kbd.rises + aux.rises + reset.rises, 0);
}
END_TEST

START_TEST(self_tests_pass)
{
    ck_assert_uint_eq(ask(I8042_SELF_TEST), 0x55);
    ck_assert_uint_eq(ask(I8042_KBD_TEST), 0x00);
    ck_assert_uint_eq(ask(I8042_AUX_TEST), 0x00);
    ck_assert_uint_eq(in(0x64) & I8042_STATUS_OBF, 0);
}
END_TEST

START_TEST(the_configuration_byte_reads_back)
{
    out(0x64, I8042_WRITE_RAM);
    ck_assert_uint_eq(in(0x64) & I8042_STATUS_COMMAND, I8042_STATUS_COMMAND);
    out(0x60, 0x34);
    ck_assert_uint_eq(in(0x64) & I8042_STATUS_COMMAND, 0);
    ck_assert_uint_eq(ask(I8042_READ_RAM), 0x34);
    out(0x64, I8042_KBD_ENABLE);
    ck_assert_uint_eq(ask(I8042_READ_RAM), 0x24);
    out(0x64, I8042_AUX_ENABLE);
    ck_assert_uint_eq(ask(I8042_READ_RAM), 0x04);
    out(0x64, I8042_KBD_DISABLE);
    out(0x64, I8042_AUX_DISABLE);
    ck_assert_uint_eq(ask(I8042_READ_RAM), 0x34);
    for (unsigned i = 1; i < 32; i++) {
        out(0x64, I8042_WRITE_RAM + i);
        out(0x60, 0x80 + i);
    }
    for (unsigned i = 1; i < 32; i++)
        ck_assert_uint_eq(ask(I8042_READ_RAM + i), 0x80 + i);
}
END_TEST

START_TEST(loops_return_the_byte_on_their_own_interrupt)
{
    out(0x64, I8042_WRITE_RAM);
    out(0x60, I8042_CONFIG_KBD_IRQ | I8042_CONFIG_AUX_IRQ);
    out(0x64, I8042_AUX_LOOP);
    out(0x60, 0x5a);
    ck_assert(aux.level && !kbd.level);
    ck_assert_uint_eq(in(0x64) & 0x21, I8042_STATUS_AUX | I8042_STATUS_OBF);
    ck_assert_uint_eq(in(0x60), 0x5a);
    ck_assert(!aux.level);
    out(0x64, I8042_KBD_LOOP);
    out(0x60, 0xa5);
    ck_assert(kbd.level && !aux.level);
    ck_assert_uint_eq(in(0x64) & 0x21, I8042_STATUS_OBF);
    ck_assert_uint_eq(in(0x60), 0xa5);
    ck_assert(!kbd.level);
    out(0x60, 0xa5); /* one parameter each: this one is for the keyboard */
    ck_assert_uint_eq(in(0x60), 0xfe);
}
END_TEST

START_TEST(interrupts_obey_the_configuration_byte)
{
    out(0x64, I8042_WRITE_RAM);
    out(0x60, 0);
    ask_with(I8042_KBD_LOOP, 1);
    ask_with(I8042_AUX_LOOP, 1);
    ck_assert_uint_eq(kbd.rises + aux.rises, 0);
}
END_TEST

START_TEST(empty_sockets_time_out_at_once)
{
    out(0x60, 0xf2); /* "identify yourself" */
    ck_assert_uint_eq(in(0x64) & 0x61, I8042_STATUS_TIMEOUT | I8042_STATUS_OBF);
    ck_assert(kbd.level);
    ck_assert_uint_eq(in(0x60), 0xfe);
    out(0x64, I8042_AUX_SEND);
    out(0x60, 0xf2);
    ck_assert_uint_eq(in(0x64) & 0x61, I8042_STATUS_TIMEOUT | I8042_STATUS_AUX | I8042_STATUS_OBF);
    ck_assert_uint_eq(in(0x60), 0xfe);
    ck_assert_uint_eq(in(0x64) & 0x61, 0);
}
END_TEST

static void configure(unsigned config)
{
    out(0x64, I8042_WRITE_RAM);
    out(0x60, config);
}

START_TEST(bytes_come_one_at_a_time_and_each_makes_an_edge)
{
    configure(I8042_CONFIG_KBD_IRQ | I8042_CONFIG_AUX_IRQ);
    plug("ab", "m");
    ck_assert_uint_eq(kbd.rises, 1);
    ck_assert_uint_eq(strlen(stub_keyboard.says), 1); /* the clock line holds it back */
    ck_assert_uint_eq(in(0x64) & 0x21, I8042_STATUS_OBF);
    ck_assert_uint_eq(in(0x60), 'a');
    ck_assert_uint_eq(kbd.rises, 2);
    ck_assert_uint_eq(in(0x60), 'b');
    ck_assert(!kbd.level && aux.level);
    ck_assert_uint_eq(in(0x64) & 0x21, I8042_STATUS_OBF | I8042_STATUS_AUX);
    ck_assert_uint_eq(in(0x60), 'm');
    ck_assert(!kbd.level && !aux.level);
    ck_assert_uint_eq(in(0x64) & 0x21, 0);
}
END_TEST

START_TEST(a_disabled_socket_keeps_its_bytes)
{
    configure(I8042_CONFIG_KBD_OFF | I8042_CONFIG_AUX_OFF);
    plug("k", "m");
    ck_assert_uint_eq(in(0x64) & I8042_STATUS_OBF, 0);
    out(0x64, I8042_AUX_ENABLE);
    ck_assert_uint_eq(in(0x60), 'm');
    ck_assert_uint_eq(in(0x64) & I8042_STATUS_OBF, 0);
    out(0x64, I8042_KBD_ENABLE);
    ck_assert_uint_eq(in(0x60), 'k');
}
END_TEST

START_TEST(bytes_for_devices_reach_them_and_open_their_sockets)
{
    configure(I8042_CONFIG_KBD_OFF | I8042_CONFIG_AUX_OFF);
    plug("", "");
    out(0x60, 0xed);
    ck_assert_uint_eq(ask(I8042_READ_RAM), I8042_CONFIG_AUX_OFF);
    out(0x64, I8042_AUX_SEND);
    out(0x60, 0xf4);
    ck_assert_uint_eq(ask(I8042_READ_RAM), 0);
    ck_assert_uint_eq(stub_keyboard.count + stub_mouse.count, 2);
    ck_assert_uint_eq(stub_keyboard.heard[0], 0xed);
    ck_assert_uint_eq(stub_mouse.heard[0], 0xf4);
}
END_TEST

START_TEST(an_answer_does_not_lose_the_byte_it_displaces)
{
    configure(I8042_CONFIG_SYSTEM);
    plug("k", "m");
    ck_assert_uint_eq(ask(I8042_READ_RAM), I8042_CONFIG_SYSTEM);
    ck_assert_uint_eq(ask(I8042_SELF_TEST), 0x55); /* twice in a row */
    ck_assert_uint_eq(in(0x60), 'k');
    ck_assert_uint_eq(in(0x64) & 0x21, I8042_STATUS_OBF | I8042_STATUS_AUX);
    ck_assert_uint_eq(ask(I8042_READ_RAM), I8042_CONFIG_SYSTEM);
    ck_assert_uint_eq(in(0x64) & 0x21, I8042_STATUS_OBF | I8042_STATUS_AUX); /* still the mouse's */
    ck_assert_uint_eq(in(0x60), 'm');
    ck_assert_uint_eq(in(0x64) & I8042_STATUS_OBF, 0);
}
END_TEST

START_TEST(of_two_answers_the_second_stays_and_both_make_an_edge)
{
    configure(I8042_CONFIG_KBD_IRQ);
    out(0x64, I8042_SELF_TEST);
    out(0x64, I8042_KBD_TEST);
    ck_assert_uint_eq(kbd.rises, 2);
    ck_assert_uint_eq(in(0x60), 0x00);
    ck_assert_uint_eq(in(0x64) & I8042_STATUS_OBF, 0);
}
END_TEST

START_TEST(set_2_becomes_set_1_while_translation_is_on)
{
    static const char says[] = "\x1c\xf0\x1c\xe0\x75\xe0\xf0\x75\x83\xf0\x83\xfa";
    static const uint8_t set1[] = {0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41, 0xc1, 0xfa};

    configure(I8042_CONFIG_XLATE);
    plug(says, "\xf0\x1c");
    for (unsigned i = 0; i < ARRAY_SIZE(set1); i++)
        ck_assert_uint_eq(in(0x60), set1[i]);
    ck_assert_uint_eq(in(0x60), 0xf0); /* the mouse's bytes are no codes */
    ck_assert_uint_eq(in(0x60), 0x1c);
    configure(0);
    plug(says, "");
    for (unsigned i = 0; i < sizeof says - 1; i++)
        ck_assert_uint_eq(in(0x60), (uint8_t)says[i]);
}
END_TEST

START_TEST(translation_maps_each_code_to_one_of_its_own)
{
    bool seen[256] = {0};

    for (unsigned code = 0; code < 256; code++) {
        uint8_t set1 = scancode_translate((uint8_t)code);

        if (code < 0x80) {
            ck_assert(!seen[set1]);
            ck_assert(set1 < 0x80 || code == 0); /* bit 7 is for "released" */
        }
        seen[set1] = true;
    }
    /* Set 1 numbers the keys of the first PC, from Esc on, in the order they stood. */
    for (unsigned key = KEY_ESC; key <= KEY_KPDOT; key++) {
        struct scancode code;

        ck_assert(scancode_of(key, &code));
        ck_assert_uint_eq(scancode_translate(code.set2), key);
    }
}
END_TEST

START_TEST(commands_0_to_255_leave_a_controller_that_works)
{
    for (unsigned command = 0; command < 256; command++) {
        power_up();
        plug("", "");
        out(0x64, command);
        out(0x60, 0xa5);
        while (in(0x64) & I8042_STATUS_OBF)
            in(0x60);
        ck_assert_uint_eq(ask(I8042_SELF_TEST), 0x55);
        ck_assert_uint_eq(reset.rises, command >= 0xf0 && command % 2 == 0);
    }
}
END_TEST

START_TEST(ports_of_the_chip_read_sensibly)
{
    ck_assert_uint_eq(ask(I8042_READ_OUTPUT) & 0x03, 0x03); /* running, A20 open */
    ck_assert_uint_eq(ask(I8042_READ_INPUT) & 0x80, 0x80);  /* not locked */
}
END_TEST

START_TEST(pulsing_line_0_resets_and_other_lines_do_not)
{
    for (unsigned command = 0xf0; command <= 0xff; command++) {
        power_up();
        out(0x64, command);
        ck_assert_uint_eq(reset.rises, command % 2 == 0);
    }
}
END_TEST

START_TEST(the_output_port_resets_when_bit_0_falls)
{
    ask_with(I8042_WRITE_OUTPUT, 0x03);
    ck_assert_uint_eq(reset.rises, 0);
    ask_with(I8042_WRITE_OUTPUT, 0x02);
    ck_assert_uint_eq(reset.rises, 1);
}
END_TEST

START_TEST(port_92_resets_when_bit_0_rises)
{
    out(0x92, 0xfe);
    ck_assert_uint_eq(in(0x92), RESET_A20);
    ck_assert_uint_eq(reset.rises, 0);
    out(0x92, 0xff);
    out(0x92, 0xff);
    ck_assert_uint_eq(reset.rises, 1);
    ck_assert_uint_eq(in(0x92), RESET_A20 | RESET_FAST);
}
END_TEST

START_TEST(port_cf9_resets_when_bit_2_rises)
{
    static const struct {
        uint8_t values[3];
        unsigned resets;
    } rows[] = {{{0x00, 0x02, 0x00}, 0},
                {{0x02, 0x06, 0x06}, 1},
                {{0x00, 0x0e, 0x0a}, 1},
                {{0x04, 0x00, 0x04}, 2},
                {{0xfb, 0x00, 0x0a}, 0}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        power_up();
        for (unsigned j = 0; j < 3; j++) {
            out(0xcf9, rows[i].values[j]);
            ck_assert_uint_eq(in(0xcf9), rows[i].values[j] & 0x0e);
        }
        ck_assert_uint_eq(reset.rises, rows[i].resets);
    }
}
END_TEST

START_TEST(pci_addresses_do_not_touch_port_cf9)
{
    bus_write(&bus, 0xcf8, 4, 0x8000ff00);
    bus_write(&bus, 0xcf8, 2, 0xff00);
    bus_write(&bus, 0xcf8, 1, 0xff);
    bus_write(&bus, 0xcfa, 2, 0xffff);
    ck_assert_uint_eq(reset.rises, 0);
    ck_assert_uint_eq(bus_read(&bus, 0xcf8, 4), 0xffffffff);
}
END_TEST

START_TEST(hammering_every_port_breaks_nothing)
{
    static const unsigned at[] = {0x60, 0x64, 0x92, 0xcf8, 0xcf9, 0x5e, 0x62, 0x91};

    srand(8042);
    for (unsigned i = 0; i < 500000; i++) {
        unsigned size = 1u << rand() % 3;

        bus_write(&bus, at[rand() % 8], size, (uint64_t)rand());
        bus_read(&bus, at[rand() % 8], size);
    }
    in(0x60);
    ck_assert_uint_eq(ask(I8042_SELF_TEST), 0x55);
}
END_TEST

static Suite *i8042_suite(void)
{
    Suite *suite = suite_create("04 i8042");
    TCase *tests = tcase_create("i8042");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, the_controller_is_idle_after_power_up);
    tcase_add_test(tests, self_tests_pass);
    tcase_add_test(tests, the_configuration_byte_reads_back);
    tcase_add_test(tests, loops_return_the_byte_on_their_own_interrupt);
    tcase_add_test(tests, interrupts_obey_the_configuration_byte);
    tcase_add_test(tests, empty_sockets_time_out_at_once);
    tcase_add_test(tests, bytes_come_one_at_a_time_and_each_makes_an_edge);
    tcase_add_test(tests, a_disabled_socket_keeps_its_bytes);
    tcase_add_test(tests, bytes_for_devices_reach_them_and_open_their_sockets);
    tcase_add_test(tests, an_answer_does_not_lose_the_byte_it_displaces);
    tcase_add_test(tests, of_two_answers_the_second_stays_and_both_make_an_edge);
    tcase_add_test(tests, set_2_becomes_set_1_while_translation_is_on);
    tcase_add_test(tests, translation_maps_each_code_to_one_of_its_own);
    tcase_add_test(tests, commands_0_to_255_leave_a_controller_that_works);
    tcase_add_test(tests, ports_of_the_chip_read_sensibly);
    tcase_add_test(tests, pulsing_line_0_resets_and_other_lines_do_not);
    tcase_add_test(tests, the_output_port_resets_when_bit_0_falls);
    tcase_add_test(tests, port_92_resets_when_bit_0_rises);
    tcase_add_test(tests, port_cf9_resets_when_bit_2_rises);
    tcase_add_test(tests, pci_addresses_do_not_touch_port_cf9);
    tcase_add_test(tests, hammering_every_port_breaks_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(i8042_suite());
}
