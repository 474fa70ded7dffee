/*
 * test_console.c: bytes both ways, control messages, names, and drivers without manners.
 */
#include <stdlib.h>

#include "05-virtio/virtio_console.h"
#include "guest.h"

#define BUFFER GUEST_FREE
#define ALL    UINT64_MAX
#define SINGLE (~VIRTIO_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT))
#define AGENT  "org.ring.agent"

static struct guest guest;
static struct virtio_console console;
static uint8_t out[1 << 20];
static size_t out_size, out_room;
static unsigned rooms;

static size_t put(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    if (count > out_room)
        count = out_room;
    if (out_size + count <= sizeof out)
        memcpy(out + out_size, bytes, count);
    out_size += count;
    out_room -= count;
    return count;
}

static void room(void *self)
{
    (void)self;
    rooms++;
}

static void start(uint64_t features)
{
    guest_ram(&guest);
    out_size = rooms = 0;
    out_room = SIZE_MAX;
    virtio_console_init(&console, &guest.memory, 80, 24);
    virtio_console_add_port(&console, NULL, (struct byte_sink){put, NULL}, room, NULL);
    virtio_console_add_port(&console, AGENT, (struct byte_sink){put, NULL}, room, NULL);
    guest_drive(&guest, &console.device, features, 16);
}

static void power_up(void)
{
    start(SINGLE);
}

static void done(void)
{
    guest_memory_free(&guest.memory);
}

static void print(unsigned queue, const char *text)
{
    size_t size = strlen(text);

    memcpy(guest_at(&guest, BUFFER, size), text, size);
    guest_send(&guest, queue, &(struct piece){BUFFER, (uint32_t)size, false}, 1);
}

static void lend(unsigned queue, gpa_t address, uint32_t size)
{
    guest_send(&guest, queue, &(struct piece){address, size, true}, 1);
}

static size_t type(unsigned port, const char *text)
{
    return virtio_console_receive(&console, port, (const uint8_t *)text, strlen(text));
}

START_TEST(a_number_without_a_port_is_never_heard_of)
{
    struct virtio_console_control ready = {.event = VIRTIO_CONSOLE_DEVICE_READY, .value = 1};
    struct virtio_console_control told;

    guest_ram(&guest);
    virtio_console_init(&console, &guest.memory, 80, 24);
    virtio_console_skip_port(&console);
    virtio_console_add_port(&console, AGENT, (struct byte_sink){put, NULL}, NULL, NULL);
    guest_drive(&guest, &console.device, ALL, 16);
    for (unsigned i = 0; i < 4; i++)
        lend(2, BUFFER + 0x1000 + i * 0x100, 0x100);
    memcpy(guest_at(&guest, BUFFER, sizeof ready), &ready, sizeof ready);
    guest_send(&guest, 3, &(struct piece){BUFFER, sizeof ready, false}, 1);
    memcpy(&told, guest_at(&guest, BUFFER + 0x1000, sizeof told), sizeof told);
    ck_assert_uint_eq(told.event, VIRTIO_CONSOLE_PORT_ADD);
    ck_assert_uint_eq(told.id, 1);
    memcpy(&told, guest_at(&guest, BUFFER + 0x1100, sizeof told), sizeof told);
    ck_assert_uint_eq(told.event, 0); /* that was the only one */
    ready = (struct virtio_console_control){.id = 0, .event = VIRTIO_CONSOLE_PORT_OPEN, .value = 1};
    memcpy(guest_at(&guest, BUFFER, sizeof ready), &ready, sizeof ready);
    guest_send(&guest, 3, &(struct piece){BUFFER, sizeof ready, false}, 1);
    ck_assert_uint_eq(type(0, "x"), 0);
    ck_assert(!console.ports[0].guest_open);
    print(1, "into the air");
    ck_assert_uint_eq(out_size, 0);
    guest_memory_free(&guest.memory);
}
END_TEST

START_TEST(bytes_come_out)
{
    print(1, "hello, ");
    print(1, "world");
    ck_assert_mem_eq(out, "hello, world", 12);
    ck_assert_int_eq(guest_receive(&guest, 1), 0);
    ck_assert_int_eq(guest_receive(&guest, 1), 0);
}
END_TEST

START_TEST(bytes_go_in_as_far_as_there_are_buffers)
{
    ck_assert_uint_eq(type(0, "lost?"), 0);
    rooms = 0;
    lend(0, BUFFER, 3);
    lend(0, BUFFER + 16, 4);
    ck_assert_uint_ge(rooms, 1);
    ck_assert_uint_eq(type(0, "123456789"), 7);
    ck_assert_int_eq(guest_receive(&guest, 0), 3);
    ck_assert_int_eq(guest_receive(&guest, 0), 4);
    ck_assert_mem_eq(guest_at(&guest, BUFFER, 4), "123\0", 4);
    ck_assert_mem_eq(guest_at(&guest, BUFFER + 16, 4), "4567", 4);
    ck_assert_uint_ge(guest.used[0], 1);
    rooms = 0;
    lend(0, BUFFER, 3); /* what did not fit has waited for this */
    ck_assert_uint_eq(rooms, 1);
}
END_TEST

/* What is not taken stays with whoever reads the keyboard, and so waits there. */
START_TEST(a_megabyte_typed_without_a_buffer_is_not_taken) /* CON07 */
{
    static const uint8_t keys[1024];

    for (unsigned i = 0; i < 1024; i++)
        ck_assert_uint_eq(virtio_console_receive(&console, 0, keys, sizeof keys), 0);
    ck_assert_uint_eq(guest.used[0], 0);
    rooms = 0;
    lend(0, BUFFER, 3);
    ck_assert_uint_eq(rooms, 1);
    ck_assert_uint_eq(type(0, "now"), 3);
    ck_assert_int_eq(guest_receive(&guest, 0), 3);
}
END_TEST

START_TEST(buffers_of_one_byte_keep_the_order) /* CON06 */
{
    unsigned taken = 0;

    while (taken < 65536) {
        uint8_t byte = (uint8_t)(taken * 7);

        lend(0, BUFFER, 1);
        taken += (unsigned)virtio_console_receive(&console, 0, &byte, 1);
        holds(guest_receive(&guest, 0) == 1);
        holds(*(uint8_t *)guest_at(&guest, BUFFER, 1) == byte);
    }
}
END_TEST

START_TEST(a_full_sink_keeps_the_rest_in_the_guest) /* CON18 */
{
    out_room = 5;
    print(1, "0123456789");
    ck_assert_uint_eq(out_size, 5);
    ck_assert_int_eq(guest_receive(&guest, 1), -1);
    out_room = 2;
    virtio_console_drain(&console, 0);
    ck_assert_uint_eq(out_size, 7);
    out_room = 100;
    virtio_console_drain(&console, 0);
    ck_assert_mem_eq(out, "0123456789", 10);
    ck_assert_int_eq(guest_receive(&guest, 1), 0);
    print(1, "!");
    ck_assert_uint_eq(out[10], '!');
}
END_TEST

START_TEST(a_huge_buffer_is_no_more_work_than_the_sink_takes) /* CON01 */
{
    struct piece pieces[16];

    out_room = 100000;
    for (unsigned i = 0; i < 16; i++)
        pieces[i] = (struct piece){0, GUEST_RAM, false};
    guest_send(&guest, 1, pieces, 16);
    ck_assert_uint_eq(out_size, 100000);
    ck_assert(!guest_needs_reset(&guest));
    guest_drive(&guest, &console.device, SINGLE, 16);
    guest_send(&guest, 1, &(struct piece){0, 0xffffffff, false}, 1);
    ck_assert(guest_needs_reset(&guest));
}
END_TEST

START_TEST(empty_and_writable_output_is_nothing) /* CON02, CON03 */
{
    for (unsigned i = 0; i < 1000000; i++) {
        guest_send(&guest, 1, &(struct piece){BUFFER, i % 2 ? 16 : 0, i % 2}, 1);
        holds(guest_receive(&guest, 1) == 0);
    }
    ck_assert_uint_eq(out_size, 0);
}
END_TEST

START_TEST(a_read_only_input_buffer_breaks_the_device) /* CON04 */
{
    guest_send(&guest, 0, &(struct piece){BUFFER, 16, false}, 1);
    ck_assert_uint_eq(type(0, "x"), 0);
    ck_assert(guest_needs_reset(&guest));
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, BUFFER, 1), 0);
}
END_TEST

START_TEST(without_multiport_there_are_two_queues) /* CON08, CON09 */
{
    print(3, "\0\0\0\0\0\0\1\0");
    lend(2, BUFFER + 100, 64);
    ck_assert_int_eq(guest_receive(&guest, 3), -1);
    ck_assert_int_eq(guest_receive(&guest, 2), -1);
    ck_assert_uint_eq(type(1, "x"), 0);
    for (unsigned i = 2; i < 65536; i++)
        virtio_device_notify(&console.device, i);
    ck_assert(!guest_needs_reset(&guest));
}
END_TEST

START_TEST(nothing_is_written_after_a_reset) /* CON16 */
{
    lend(0, BUFFER, 16);
    virtio_device_set_status(&console.device, 0);
    ck_assert_uint_eq(type(0, "abc"), 0);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, BUFFER, 1), 0);
}
END_TEST

START_TEST(emergency_output_needs_no_queue) /* CON15 */
{
    virtio_device_set_status(&console.device, 0);
    for (unsigned size = 1; size <= 4; size *= 2)
        virtio_device_config_write(&console.device, 8, size, 'a' + size);
    ck_assert_mem_eq(out, "bce", 3);
    virtio_device_config_write(&console.device, 8, 8, 'x');
    virtio_device_config_write(&console.device, 9, 1, 'x');
    virtio_device_config_write(&console.device, 0, 4, 'x');
    ck_assert_uint_eq(out_size, 3);
    ck_assert_uint_eq(console.config.cols, 80);
    for (unsigned i = 0; i < 1000000; i++)
        virtio_device_config_write(&console.device, 8, 1, 'y');
    ck_assert_uint_eq(out_size, 1000003);
}
END_TEST

/* With control messages. */

static void tell(uint32_t id, uint16_t event, uint16_t value)
{
    struct virtio_console_control message = {id, event, value};

    memcpy(guest_at(&guest, BUFFER, sizeof message), &message, sizeof message);
    ck_assert_int_eq(guest_call(&guest, 3, &(struct piece){BUFFER, sizeof message, false}, 1), 0);
}

#define MESSAGES (BUFFER + 0x1000)

static unsigned lent, heard;

static void lend_control(unsigned count)
{
    while (count-- > 0)
        lend(2, MESSAGES + 0x100 * lent++, 0x100);
}

/* The next message of the device, which must be this one. */
static const uint8_t *expect(uint32_t id, uint16_t event, uint16_t value, unsigned more)
{
    struct virtio_console_control message;
    const uint8_t *bytes = guest_at(&guest, MESSAGES + 0x100 * heard++, 0x100);

    ck_assert_int_eq(guest_receive(&guest, 2), 8 + more);
    memcpy(&message, bytes, sizeof message);
    ck_assert_uint_eq(message.id, id);
    ck_assert_uint_eq(message.event, event);
    ck_assert_uint_eq(message.value, value);
    return bytes + 8;
}

static void multiport(void)
{
    start(ALL);
    lent = heard = 0;
}

START_TEST(ports_are_announced_named_and_opened)
{
    const uint8_t *more;

    lend_control(8);
    tell(0xffffffff, VIRTIO_CONSOLE_DEVICE_READY, 1);
    expect(0, VIRTIO_CONSOLE_PORT_ADD, 0, 0);
    expect(1, VIRTIO_CONSOLE_PORT_ADD, 0, 0);
    tell(0, VIRTIO_CONSOLE_PORT_READY, 1);
    expect(0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, 0);
    more = expect(0, VIRTIO_CONSOLE_RESIZE, 0, 4);
    ck_assert_mem_eq(more, "\120\0\030\0", 4);
    expect(0, VIRTIO_CONSOLE_PORT_OPEN, 1, 0);
    tell(1, VIRTIO_CONSOLE_PORT_READY, 1);
    more = expect(1, VIRTIO_CONSOLE_PORT_NAME, 0, strlen(AGENT));
    ck_assert_mem_eq(more, AGENT, strlen(AGENT));
    ck_assert_int_eq(guest_receive(&guest, 2), -1);
    virtio_console_set_open(&console, 1, true);
    expect(1, VIRTIO_CONSOLE_PORT_OPEN, 1, 0);
    virtio_console_set_open(&console, 1, true);
    ck_assert_int_eq(guest_receive(&guest, 2), -1);
}
END_TEST

START_TEST(messages_wait_for_buffers_and_then_tell_the_truth_of_then)
{
    tell(0xffffffff, VIRTIO_CONSOLE_DEVICE_READY, 1);
    tell(1, VIRTIO_CONSOLE_PORT_READY, 1);
    for (unsigned i = 0; i < 1001; i++)
        virtio_console_set_open(&console, 1, i % 2 == 0);
    lend_control(2);
    expect(0, VIRTIO_CONSOLE_PORT_ADD, 0, 0);
    expect(1, VIRTIO_CONSOLE_PORT_ADD, 0, 0);
    lend_control(3);
    expect(1, VIRTIO_CONSOLE_PORT_NAME, 0, strlen(AGENT));
    expect(1, VIRTIO_CONSOLE_PORT_OPEN, 1, 0);
    ck_assert_int_eq(guest_receive(&guest, 2), -1);
}
END_TEST

START_TEST(a_port_gets_bytes_when_the_guest_has_opened_it)
{
    lend(4, BUFFER + 64, 16);
    ck_assert_uint_eq(type(1, "abc"), 0);
    tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    ck_assert_uint_eq(type(1, "abc"), 3);
    ck_assert_int_eq(guest_receive(&guest, 4), 3);
    print(5, "def");
    ck_assert_mem_eq(out, "def", 3);
    tell(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
    lend(4, BUFFER + 64, 16);
    ck_assert_uint_eq(type(1, "ghi"), 0);
}
END_TEST

/* A back end that has bytes ready brings them while the message that opens the port is read. */
static void type_at_once(void *self)
{
    (void)self;
    virtio_console_receive(&console, 1, (const uint8_t *)"now", 3);
    virtio_console_receive(&console, 1, (const uint8_t *)"!", 1); /* in a buffer of its own */
}

START_TEST(a_port_may_be_filled_at_the_moment_it_opens)
{
    console.ports[1].room = type_at_once;
    lend(4, BUFFER + 0x1000, 8);
    lend(4, BUFFER + 0x1100, 8);
    tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    ck_assert_int_eq(guest_receive(&guest, 4), 3);
    ck_assert_mem_eq(guest_at(&guest, BUFFER + 0x1000, 3), "now", 3);
    for (unsigned i = 0; i < console.device.queue_count; i++)
        ck_assert_uint_eq(console.device.queues[i].ring.in_flight, 0);
}
END_TEST

START_TEST(messages_that_make_no_sense_are_ignored) /* CON10, CON11, CON12 */
{
    static const uint32_t sizes[] = {0, 1, 7, 9, 65536};

    lend_control(4);
    memset(guest_at(&guest, BUFFER + 0x10000, 65536), 0, 65536);
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
        ck_assert_int_eq(
            guest_call(&guest, 3, &(struct piece){BUFFER + 0x10000, sizes[i], false}, 1), 0);
    tell(0xffffffff, 0xffff, 0xffff);
    tell(2, VIRTIO_CONSOLE_PORT_READY, 1);
    tell(0x80000000, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tell(0, 0xffff, 1);
    tell(0, VIRTIO_CONSOLE_PORT_READY, 0);
    tell(0, VIRTIO_CONSOLE_DEVICE_READY, 0);
    ck_assert_int_eq(guest_receive(&guest, 2), -1);
    ck_assert(!guest_needs_reset(&guest));
}
END_TEST

START_TEST(a_control_buffer_of_seven_bytes_breaks_the_device)
{
    lend(2, BUFFER + 0x1000, 7);
    tell(0xffffffff, VIRTIO_CONSOLE_DEVICE_READY, 1);
    ck_assert(guest_needs_reset(&guest));
}
END_TEST

START_TEST(a_new_size_is_told_both_ways)
{
    lend_control(2);
    virtio_console_resize(&console, 132, 50);
    ck_assert_uint_eq(guest.changed, 1);
    ck_assert_uint_eq(virtio_device_config_read(&console.device, 0, 4), 132 | 50 << 16);
    ck_assert_mem_eq(expect(0, VIRTIO_CONSOLE_RESIZE, 0, 4), "\204\0\062\0", 4);
}
END_TEST

static Suite *console_suite(void)
{
    Suite *suite = suite_create("virtio_console");
    TCase *single = tcase_create("one port"), *many = tcase_create("ports");
    TCase *gaps = tcase_create("gaps");

    tcase_add_checked_fixture(single, power_up, done);
    tcase_set_timeout(single, 30);
    tcase_add_test(single, bytes_come_out);
    tcase_add_test(single, bytes_go_in_as_far_as_there_are_buffers);
    tcase_add_test(single, a_megabyte_typed_without_a_buffer_is_not_taken);
    tcase_add_test(single, buffers_of_one_byte_keep_the_order);
    tcase_add_test(single, a_full_sink_keeps_the_rest_in_the_guest);
    tcase_add_test(single, a_huge_buffer_is_no_more_work_than_the_sink_takes);
    tcase_add_test(single, empty_and_writable_output_is_nothing);
    tcase_add_test(single, a_read_only_input_buffer_breaks_the_device);
    tcase_add_test(single, without_multiport_there_are_two_queues);
    tcase_add_test(single, nothing_is_written_after_a_reset);
    tcase_add_test(single, emergency_output_needs_no_queue);
    suite_add_tcase(suite, single);

    tcase_add_checked_fixture(many, multiport, done);
    tcase_add_test(many, ports_are_announced_named_and_opened);
    tcase_add_test(many, messages_wait_for_buffers_and_then_tell_the_truth_of_then);
    tcase_add_test(many, a_port_gets_bytes_when_the_guest_has_opened_it);
    tcase_add_test(many, a_port_may_be_filled_at_the_moment_it_opens);
    tcase_add_test(many, messages_that_make_no_sense_are_ignored);
    tcase_add_test(many, a_control_buffer_of_seven_bytes_breaks_the_device);
    tcase_add_test(many, a_new_size_is_told_both_ways);
    tcase_add_test(gaps, a_number_without_a_port_is_never_heard_of);
    suite_add_tcase(suite, many);
    suite_add_tcase(suite, gaps);
    return suite;
}

int main(void)
{
    return harness_main(console_suite());
}
