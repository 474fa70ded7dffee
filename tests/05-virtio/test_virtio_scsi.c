/*
 * test_virtio_scsi.c: the SCSI host itself: requests as a driver may cut them and as it
 * may not, addresses, residual counts, task management, slow disks.
 */
#include "scsi_guest.h"

#define READ_3(blocks) CDB(0x28, 0, 0, 0, 0, 3, 0, 0, blocks, 0)

static struct medium medium, other;
static struct scsi_unit disk, second;
static struct scsi_cdrom drive; /* of another target, which is not concerned */

static void power_up(void)
{
    scsi_power_up();
    medium_init(&medium, 64 * 512, false);
    medium_init(&other, 64 * 512, false);
    scsi_disk_init(&disk, &medium.disk, "one");
    scsi_disk_init(&second, &other.disk, "two");
    ck_assert_int_eq(scsi_bus_add(&scsi.bus, 2, 0, &disk), 0);
    ck_assert_int_eq(scsi_bus_add(&scsi.bus, 2, 5, &second), 0);
    scsi_cdrom_init(&drive, NULL, "three");
    ck_assert_int_eq(scsi_bus_add(&scsi.bus, 4, 7, &drive.unit), 0);
    scsi_drive();
}

START_TEST(a_command_and_its_data_come_back)
{
    struct answer a = scsi_call(2, READ_3(2), 0, 1024);

    expect_good(a, 1024, 1024);
    ck_assert_int_eq(a.written, RESPONSE_SIZE + 1024);
    ck_assert_mem_eq(data_in(), medium.bytes + 3 * 512, 1024);
    ck_assert_uint_eq(a.sense_size, 0);
}
END_TEST

START_TEST(a_request_may_be_cut_anywhere)
{
    struct piece pieces[40];
    unsigned count = 0;
    const uint8_t lun[8] = {1, 2};

    put_request(lun, READ_3(1), 1);
    for (unsigned i = 0; i < 17; i++)
        pieces[count++] = (struct piece){REQUEST + 3 * i, 3, false};
    pieces[count++] = (struct piece){RESPONSE, 5, true};
    pieces[count++] = (struct piece){RESPONSE + 5, RESPONSE_SIZE - 5, true};
    pieces[count++] = (struct piece){DATA_IN, 1, true};
    pieces[count++] = (struct piece){DATA_IN + 1, 511, true};
    ck_assert_int_eq(guest_call(&guest, 3, pieces, count), RESPONSE_SIZE + 512);
    expect_good(get_answer(0), 512, 512);
    ck_assert_mem_eq(data_in(), medium.bytes + 3 * 512, 512);

    /* Response and data in one piece. */
    put_request(lun, READ_3(1), 1);
    ck_assert_int_eq(guest_call(&guest, 2,
                                (struct piece[]){{REQUEST, REQUEST_SIZE, false},
                                                 {DATA_IN, RESPONSE_SIZE + 512, true}},
                                2),
                     RESPONSE_SIZE + 512);
    ck_assert_mem_eq(data_in() + RESPONSE_SIZE, medium.bytes + 3 * 512, 512);
}
END_TEST

START_TEST(what_does_not_move_is_residual)
{
    expect_good(scsi_call(2, READ_3(1), 0, 4096), 512, 4096);
    expect_good(scsi_call(2, READ_3(0), 0, 100), 0, 100);
    expect_good(scsi_call(2, CDB(0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0), 700, 0), 512, 700);
    ck_assert_uint_eq(medium.bytes[512], 0);
    expect_good(scsi_call(2, CDB(0x12, 0, 0, 0, 5), 0, 255), 5, 255);
    /* A command that fails moves nothing. */
    ck_assert_uint_eq(scsi_call(2, CDB(0x28, 0, 0, 0, 1, 0, 0, 0, 1, 0), 0, 512).residual, 512);
}
END_TEST

START_TEST(sense_data_has_the_fixed_format)
{
    static const uint8_t expected[96] = {0x70, [2] = 5, [7] = 10, [12] = 0x21};

    expect_sense(scsi_call(2, CDB(0x28, 0, 0, 0, 1, 0, 0, 0, 1, 0), 0, 512),
                 SENSE_BLOCK_OUT_OF_RANGE);
    ck_assert_mem_eq(guest_at(&guest, RESPONSE + 12, 96), expected, 96);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_an_overrun)
{
    static const struct {
        uint8_t cdb[16];
        uint32_t out, in;
    } rows[] = {
        {{0x28, 0, 0, 0, 0, 3, 0, 0, 2, 0}, 0, 1023},
        {{0x28, 0, 0, 0, 0, 3, 0, 0, 2, 0}, 1024, 0},
        {{0x2a, 0, 0, 0, 0, 3, 0, 0, 2, 0}, 1023, 0},
        {{0x2a, 0, 0, 0, 0, 3, 0, 0, 2, 0}, 0, 1024},
        {{0x12, 0, 0, 0, 36}, 0, 35},
        {{0x12, 0, 0, 0, 100}, 0, 99}, /* although the answer would fit */
        {{0x25}, 0, 7},
        {{0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, 23, 0},
        {{0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 511, 0},
        {{0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16}, 0, 15},
    };
    uint8_t before[sizeof medium.bytes];

    memcpy(before, medium.bytes, sizeof before);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = scsi_call(2, rows[i].cdb, rows[i].out, rows[i].in);

        ck_assert_uint_eq(a.response, VIRTIO_SCSI_S_OVERRUN);
        ck_assert_uint_eq(a.residual, rows[i].out + rows[i].in);
        ck_assert_int_eq(a.written, RESPONSE_SIZE);
    }
    ck_assert_uint_eq(medium.submitted, 0);
    ck_assert_mem_eq(before, medium.bytes, sizeof before);
}
END_TEST

START_TEST(data_both_ways_is_refused)
{
    struct answer a = scsi_call(2, READ_3(1), 512, 512);

    ck_assert_uint_eq(a.response, VIRTIO_SCSI_S_FAILURE);
    ck_assert_uint_eq(a.residual, 1024);
    ck_assert_uint_eq(medium.submitted, 0);
}
END_TEST

/* Nowhere to read the request from, or to write the response to. */
static const struct {
    struct piece pieces[3];
    unsigned count;
} formless[] = {
    {{{REQUEST, REQUEST_SIZE, false}}, 1},
    {{{RESPONSE, RESPONSE_SIZE, true}}, 1},
    {{{REQUEST, REQUEST_SIZE - 1, false}, {RESPONSE, RESPONSE_SIZE, true}}, 2},
    {{{REQUEST, REQUEST_SIZE, false}, {RESPONSE, RESPONSE_SIZE - 1, true}}, 2},
    {{{REQUEST, REQUEST_SIZE, false}, {DATA_OUT, 512, false}, {RESPONSE, 0, true}}, 3},
};

START_TEST(a_request_without_form_breaks_the_device)
{
    const uint8_t lun[8] = {1, 2};

    put_request(lun, CDB(0x0a, 0, 0, 0, 1), 1);
    ck_assert_int_eq(guest_call(&guest, 2, formless[_i].pieces, formless[_i].count), -1);
    ck_assert(guest_needs_reset(&guest));
    ck_assert_uint_eq(medium.submitted, 0);
    scsi_drive();
    expect_good(scsi_call(2, READ_3(1), 0, 512), 512, 512);
}
END_TEST

START_TEST(an_address_leads_to_one_unit_or_to_none)
{
    static const struct {
        uint8_t lun[8];
        int response;
        const uint8_t *first; /* block */
    } rows[] = {
        {{1, 2, 0, 0}, VIRTIO_SCSI_S_OK, medium.bytes},
        {{1, 2, 0x40, 0}, VIRTIO_SCSI_S_OK, medium.bytes},
        {{1, 2, 0x40, 5}, VIRTIO_SCSI_S_OK, other.bytes},
        {{1, 2, 0x00, 5}, VIRTIO_SCSI_S_OK, other.bytes},
        {{1, 1, 0x40, 0}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
        {{1, 255, 0x40, 0}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
        {{0, 2, 0x40, 0}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
        {{2, 2, 0x40, 0}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
        {{1, 2, 0x80, 0}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
        {{1, 2, 0xc1, 1}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
        {{1, 2, 0x40, 0, 1}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
        {{1, 2, 0x40, 0, 0, 0, 0, 1}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
        {{0xc1, 1}, VIRTIO_SCSI_S_BAD_TARGET, NULL},
    };

    /* A target 0, for what is no address must not lead there. */
    ck_assert_int_eq(scsi_bus_add(&scsi.bus, 0, 0, &drive.unit), 0);
    memset(medium.bytes, 0x11, 512);
    memset(other.bytes, 0x22, 512);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = scsi_call_lun(rows[i].lun, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 1), 0, 512);

        ck_assert_int_eq(a.response, rows[i].response);
        if (rows[i].first)
            ck_assert_mem_eq(data_in(), rows[i].first, 512);
        else
            ck_assert_uint_eq(a.residual, 512);
    }
}
END_TEST

START_TEST(a_lun_that_is_not_there_says_so)
{
    static const uint8_t lun[8] = {1, 2, 0x40, 1};

    expect_good(scsi_call_lun(lun, CDB(0x12, 0, 0, 0, 36), 0, 36), 36, 36);
    ck_assert_uint_eq(data_in()[0], 0x7f);
    expect_good(scsi_call_lun(lun, CDB(0x03, 0, 0, 0, 18), 0, 18), 18, 18);
    ck_assert_uint_eq(data_in()[2], 5);
    ck_assert_uint_eq(data_in()[12], 0x25);
    expect_sense(scsi_call_lun(lun, CDB(0), 0, 0), SENSE_UNIT_NOT_SUPPORTED);
    expect_sense(scsi_call_lun(lun, READ_3(1), 0, 512), SENSE_UNIT_NOT_SUPPORTED);
    expect_sense(scsi_call_lun(lun, CDB(0x12, 1, 0, 0, 36), 0, 36), SENSE_INVALID_FIELD_IN_CDB);
}
END_TEST

START_TEST(a_target_lists_its_luns)
{
    static const uint8_t any[8] = {1, 2, 0x40, 77};
    static const uint8_t list[24] = {[3] = 16, [17] = 5};

    expect_good(scsi_call_lun(any, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0), 0, 256), 24, 256);
    ck_assert_mem_eq(data_in(), list, sizeof list);
    expect_good(scsi_call(2, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16), 0, 16), 16, 16);
    ck_assert_mem_eq(data_in(), list, 16); /* the length says how much there would be */
    expect_good(scsi_call(2, CDB(0xa0, 0, 1, 0, 0, 0, 0, 0, 0, 16), 0, 16), 8, 16);
    expect_sense(scsi_call(2, CDB(0xa0, 0, 3, 0, 0, 0, 0, 0, 0, 16), 0, 16),
                 SENSE_INVALID_FIELD_IN_CDB);
    expect_sense(scsi_call(2, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 15), 0, 16),
                 SENSE_INVALID_FIELD_IN_CDB);
}
END_TEST

START_TEST(the_bus_has_one_unit_at_an_address)
{
    struct scsi_unit unit;
    struct scsi_bus bus = {.count = 0};

    ck_assert_int_eq(scsi_bus_add(&bus, SCSI_TARGETS_MAX, 0, &unit), -ERANGE);
    ck_assert_int_eq(scsi_bus_add(&bus, 0, SCSI_LUNS_MAX, &unit), -ERANGE);
    for (unsigned i = 0; i < SCSI_UNITS_MAX; i++) {
        ck_assert_int_eq(scsi_bus_free_target(&bus), (int)i);
        ck_assert_int_eq(scsi_bus_add(&bus, i, 0, &unit), 0);
        ck_assert_int_eq(scsi_bus_add(&bus, i, 0, &unit), -EEXIST);
    }
    ck_assert_int_eq(scsi_bus_free_target(&bus), -ENOSPC);
    ck_assert_int_eq(scsi_bus_add(&bus, 0, 1, &unit), -ENOSPC);
}
END_TEST

static void set_config(size_t offset, uint64_t value)
{
    virtio_device_config_write(&scsi.device, offset, 4, value);
}

START_TEST(the_driver_sets_the_sizes_of_cdb_and_sense)
{
    size_t cdb = offsetof(struct virtio_scsi_config, cdb_size);
    size_t sense = offsetof(struct virtio_scsi_config, sense_size);
    struct piece pieces[] = {{REQUEST, 19 + 10, false}, {RESPONSE, 12 + 4, true}};
    const uint8_t lun[8] = {1, 2};

    set_config(cdb, 10);
    set_config(sense, 4);
    put_request(lun, CDB(0x28, 0, 1, 0, 0, 0, 0, 0, 1), 1);
    ck_assert_int_eq(guest_call(&guest, 2, pieces, 2), 12 + 4);
    ck_assert_uint_eq(get_answer(0).status, SCSI_CHECK_CONDITION);
    ck_assert_uint_eq(get_answer(0).sense_size, 4);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, RESPONSE + 12 + 2, 1), 5);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, RESPONSE + 12 + 4, 1), UNSET);

    set_config(cdb, VIRTIO_SCSI_CDB_LIMIT + 1);
    set_config(sense, SCSI_SENSE_LIMIT + 1);
    set_config(0, 7);                                     /* num_queues is not the driver's */
    virtio_device_config_write(&scsi.device, cdb, 2, 11); /* nor is half a field */
    ck_assert_uint_eq(scsi.config.cdb_size, 10);
    ck_assert_uint_eq(scsi.config.sense_size, 4);
    ck_assert_uint_eq(scsi.config.num_queues, 2);

    set_config(cdb, VIRTIO_SCSI_CDB_LIMIT);
    set_config(sense, SCSI_SENSE_LIMIT);
    pieces[0].length = 19 + VIRTIO_SCSI_CDB_LIMIT;
    pieces[1].length = 12 + SCSI_SENSE_LIMIT;
    put_request(lun, CDB(0), 1);
    ck_assert_int_eq(guest_call(&guest, 2, pieces, 2), 12 + SCSI_SENSE_LIMIT);
    expect_good(get_answer(0), 0, 0);

    virtio_device_reset(&scsi.device);
    ck_assert_uint_eq(scsi.config.cdb_size, 32);
    ck_assert_uint_eq(scsi.config.sense_size, 96);
}
END_TEST

START_TEST(a_cdb_of_no_bytes_is_zeros)
{
    struct piece pieces[] = {{REQUEST, 19, false}, {RESPONSE, 12, true}};
    const uint8_t lun[8] = {1, 2};

    set_config(offsetof(struct virtio_scsi_config, cdb_size), 0);
    set_config(offsetof(struct virtio_scsi_config, sense_size), 0);
    put_request(lun, CDB(0xff), 1);
    ck_assert_int_eq(guest_call(&guest, 2, pieces, 2), 12);
    ck_assert_uint_eq(get_answer(0).status, SCSI_GOOD); /* TEST UNIT READY */
}
END_TEST

/* ---- the control queue ----------------------------------------------------------- */

static int64_t control(const void *request, uint32_t size, uint32_t room)
{
    struct piece pieces[] = {{REQUEST, size, false}, {RESPONSE, room, true}};

    memcpy(guest_at(&guest, REQUEST, size), request, size);
    memset(guest_at(&guest, RESPONSE, 16), UNSET, 16);
    return guest_call(&guest, 0, pieces, 2);
}

static uint8_t manage(uint32_t subtype, uint8_t target, uint8_t lun, uint64_t tag)
{
    struct virtio_scsi_ctrl_tmf_req request = {
        VIRTIO_SCSI_T_TMF, subtype, {1, target, 0x40, lun}, tag};

    ck_assert_int_eq(control(&request, sizeof request, 1), 1);
    return *(uint8_t *)guest_at(&guest, RESPONSE, 1);
}

START_TEST(task_management_is_for_units_that_are_there)
{
    for (uint32_t subtype = 0; subtype < 8; subtype++) {
        unsigned expected = subtype == VIRTIO_SCSI_T_TMF_CLEAR_ACA ? VIRTIO_SCSI_S_FUNCTION_REJECTED
                                                                   : VIRTIO_SCSI_S_OK;

        ck_assert_uint_eq(manage(subtype, 2, 0, 1), expected);
        ck_assert_uint_eq(manage(subtype, 3, 0, 1), VIRTIO_SCSI_S_BAD_TARGET);
        if (subtype != VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET)
            ck_assert_uint_eq(manage(subtype, 2, 1, 1), VIRTIO_SCSI_S_INCORRECT_LUN);
    }
    ck_assert_uint_eq(manage(8, 2, 0, 1), VIRTIO_SCSI_S_FUNCTION_REJECTED);
    ck_assert_uint_eq(manage(UINT32_MAX, 2, 0, 1), VIRTIO_SCSI_S_FUNCTION_REJECTED);
}
END_TEST

START_TEST(task_management_wants_an_address)
{
    struct virtio_scsi_ctrl_tmf_req request = {
        VIRTIO_SCSI_T_TMF, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, {2, 0, 0x40, 0}, 0};

    ck_assert_int_eq(scsi_bus_add(&scsi.bus, 0, 0, &drive.unit), 0);
    ck_assert_int_eq(control(&request, sizeof request, 1), 1);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, RESPONSE, 1), VIRTIO_SCSI_S_BAD_TARGET);
    ck_assert_uint_eq(drive.unit.attention, SENSE_NONE);
}
END_TEST

START_TEST(after_a_reset_the_next_command_hears_of_it)
{
    ck_assert_uint_eq(manage(VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 2, 0, 0), VIRTIO_SCSI_S_OK);
    expect_good(scsi_call(2, CDB(0x12, 0, 0, 0, 36), 0, 36), 36, 36);
    expect_sense(scsi_call(2, READ_3(1), 0, 512), SENSE_DEVICE_RESET);
    expect_good(scsi_call(2, READ_3(1), 0, 512), 512, 512);

    ck_assert_uint_eq(manage(VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET, 2, 9, 0), VIRTIO_SCSI_S_OK);
    ck_assert_uint_eq(disk.attention, SENSE_DEVICE_RESET);
    ck_assert_uint_eq(second.attention, SENSE_DEVICE_RESET);
    ck_assert_uint_eq(drive.unit.attention, SENSE_NONE);
    expect_good(scsi_call(2, CDB(0x03, 0, 0, 0, 18), 0, 18), 18, 18);
    ck_assert_uint_eq(data_in()[12], 0x29);
    ck_assert_uint_eq(data_in()[13], 0x03);
    expect_good(scsi_call(2, CDB(0), 0, 0), 0, 0); /* REQUEST SENSE has told it */

    guest_drive(&guest, &scsi.device, UINT64_MAX, 64);
    expect_sense(scsi_call(2, CDB(0), 0, 0), SENSE_POWER_ON_OR_RESET);
    expect_good(scsi_call(2, CDB(0), 0, 0), 0, 0);
}
END_TEST

START_TEST(notifications_can_be_asked_for_but_there_are_none)
{
    struct virtio_scsi_ctrl_an_req request = {VIRTIO_SCSI_T_AN_QUERY, {1, 2, 0x40, 0}, 16};
    struct virtio_scsi_ctrl_an_resp response;

    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(control(&request, sizeof request, sizeof response), sizeof response);
        memcpy(&response, guest_at(&guest, RESPONSE, sizeof response), sizeof response);
        ck_assert_uint_eq(response.event_actual, 0);
        ck_assert_uint_eq(response.response, VIRTIO_SCSI_S_OK);
        request.type = VIRTIO_SCSI_T_AN_SUBSCRIBE;
    }
    request.lun[1] = 3;
    control(&request, sizeof request, sizeof response);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, RESPONSE + 4, 1), VIRTIO_SCSI_S_BAD_TARGET);
    request.type = 99;
    ck_assert_int_eq(control(&request, sizeof request, 5), 1);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, RESPONSE, 1), VIRTIO_SCSI_S_FAILURE);
}
END_TEST

START_TEST(a_control_request_without_form_breaks_the_device)
{
    static const struct {
        uint32_t type, size, room;
    } rows[] = {
        {VIRTIO_SCSI_T_TMF, 3, 1},       {VIRTIO_SCSI_T_TMF, 23, 1},
        {VIRTIO_SCSI_T_TMF, 24, 0},      {VIRTIO_SCSI_T_AN_QUERY, 15, 5},
        {VIRTIO_SCSI_T_AN_QUERY, 16, 4}, {7, 24, 0},
    };
    uint8_t bytes[24] = {(uint8_t)rows[_i].type};

    ck_assert_int_eq(control(bytes, rows[_i].size, rows[_i].room), -1);
    ck_assert(guest_needs_reset(&guest));
}
END_TEST

START_TEST(buffers_for_events_stay_in_the_ring)
{
    for (unsigned i = 0; i < 8; i++)
        guest_send(&guest, 1, &(struct piece){DATA_IN + 16 * i, 16, true}, 1);
    ck_assert_int_eq(guest_receive(&guest, 1), -1);
    ck_assert(virtio_device_live(&scsi.device));
    expect_good(scsi_call(2, READ_3(1), 0, 512), 512, 512);
}
END_TEST

/* ---- disks that take their time --------------------------------------------------- */

/* Sends READ of one block, without waiting; the memory of request n. */
static void send_read(unsigned n, unsigned block)
{
    struct virtio_scsi_cmd_req request = {.lun = {1, 2}, .tag = 100 + n, .cdb = {0x28}};
    gpa_t at = REQUEST + 0x400 * n;
    struct piece pieces[] = {{at, REQUEST_SIZE, false},
                             {at + 0x100, RESPONSE_SIZE, true},
                             {DATA_IN + 512 * n, 512, true}};

    request.cdb[5] = (uint8_t)block;
    request.cdb[8] = 1;
    memcpy(guest_at(&guest, at, sizeof request), &request, sizeof request);
    guest_send(&guest, VIRTIO_SCSI_REQUESTS, pieces, 3);
}

START_TEST(slow_commands_end_in_any_order)
{
    medium.slow = true;
    for (unsigned i = 0; i < 8; i++)
        send_read(i, i);
    ck_assert_int_eq(guest_receive(&guest, 2), -1);
    ck_assert_uint_eq(guest.used[2], 0);
    medium_finish(&medium);
    ck_assert_uint_gt(guest.used[2], 0);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(guest_receive(&guest, 2), RESPONSE_SIZE + 512);
    ck_assert_mem_eq(data_in(), medium.bytes, 8 * 512);
}
END_TEST

/* Eight requests behind one notification are one system call to a disk with a ring. */
START_TEST(a_batch_is_committed_once)
{
    struct piece pieces[] = {
        {REQUEST, REQUEST_SIZE, false}, {RESPONSE, RESPONSE_SIZE, true}, {DATA_IN, 512, true}};

    ck_assert(medium.disk.async);
    medium.slow = true;
    put_request((const uint8_t[8]){1, 2}, READ_3(1), 1);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_ge(ring_add(&guest.rings[2], pieces, 3, false), 0);
    ring_publish(&guest.rings[2]);
    virtio_device_notify(&scsi.device, 2);
    ck_assert_uint_eq(medium.submitted, 8);
    ck_assert_uint_eq(medium.commits, 1);
    medium_finish(&medium);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(guest_receive(&guest, 2), RESPONSE_SIZE + 512);
}
END_TEST

START_TEST(a_task_is_found_while_it_is_under_way)
{
    medium.slow = true;
    send_read(0, 3);
    ck_assert_uint_eq(manage(VIRTIO_SCSI_T_TMF_QUERY_TASK, 2, 5, 100), VIRTIO_SCSI_S_OK);
    ck_assert_uint_eq(manage(VIRTIO_SCSI_T_TMF_QUERY_TASK, 2, 0, 101), VIRTIO_SCSI_S_OK);
    send_read(0, 3); /* the control request lay over it */
    ck_assert_uint_eq(manage(VIRTIO_SCSI_T_TMF_QUERY_TASK, 2, 0, 100),
                      VIRTIO_SCSI_S_FUNCTION_SUCCEEDED);
    ck_assert_uint_eq(manage(VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 2, 0, 0),
                      VIRTIO_SCSI_S_FUNCTION_SUCCEEDED);
    ck_assert_uint_eq(manage(VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 2, 5, 0), VIRTIO_SCSI_S_OK);
    medium_finish(&medium);
    ck_assert_uint_eq(manage(VIRTIO_SCSI_T_TMF_QUERY_TASK, 2, 0, 100), VIRTIO_SCSI_S_OK);
}
END_TEST

START_TEST(an_aborted_command_comes_back_before_the_answer)
{
    static const uint32_t subtypes[] = {
        VIRTIO_SCSI_T_TMF_ABORT_TASK, VIRTIO_SCSI_T_TMF_ABORT_TASK_SET,
        VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
        VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET};

    medium.slow = true;
    for (unsigned i = 0; i < ARRAY_SIZE(subtypes); i++) {
        disk.attention = SENSE_NONE;
        send_read(1, 3);
        ck_assert_int_eq(guest_receive(&guest, 2), -1);
        ck_assert_uint_eq(manage(subtypes[i], 2, 0, 101), VIRTIO_SCSI_S_OK);
        ck_assert_uint_eq(medium.waiting_count, 0);
        ck_assert_int_eq(guest_receive(&guest, 2), RESPONSE_SIZE + 512);
    }
}
END_TEST

START_TEST(a_reset_waits_for_what_is_under_way)
{
    medium.slow = true;
    send_read(0, 3);
    virtio_device_reset(&scsi.device);
    ck_assert_uint_eq(medium.waiting_count, 0);
    ck_assert_mem_eq(data_in(), medium.bytes + 3 * 512, 512);
    memset(data_in(), UNSET, 512);
    medium_finish(&medium);
    ck_assert_uint_eq(data_in()[0], UNSET);
}
END_TEST

START_TEST(a_full_pool_leaves_requests_in_the_ring)
{
    unsigned sent = 0;

    scsi.fresh = scsi.count - 4; /* as if the others were under way */
    scsi.in_flight = scsi.count - 4;
    medium.slow = true;
    for (; sent < 6; sent++)
        send_read(sent, sent);
    ck_assert_uint_eq(medium.waiting_count, 4);
    medium_finish(&medium); /* which makes room for the others */
    for (; sent > 0; sent--)
        ck_assert_int_eq(guest_receive(&guest, 2), RESPONSE_SIZE + 512);
    scsi.in_flight = 0;
}
END_TEST

static Suite *scsi_suite(void)
{
    Suite *suite = suite_create("virtio_scsi");
    TCase *tests = tcase_create("requests");

    tcase_add_checked_fixture(tests, power_up, scsi_done);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_command_and_its_data_come_back);
    tcase_add_test(tests, a_request_may_be_cut_anywhere);
    tcase_add_test(tests, what_does_not_move_is_residual);
    tcase_add_test(tests, sense_data_has_the_fixed_format);
    tcase_add_test(tests, a_buffer_that_is_too_small_is_an_overrun);
    tcase_add_test(tests, data_both_ways_is_refused);
    tcase_add_loop_test(tests, a_request_without_form_breaks_the_device, 0, ARRAY_SIZE(formless));
    tcase_add_test(tests, an_address_leads_to_one_unit_or_to_none);
    tcase_add_test(tests, a_lun_that_is_not_there_says_so);
    tcase_add_test(tests, a_target_lists_its_luns);
    tcase_add_test(tests, the_bus_has_one_unit_at_an_address);
    tcase_add_test(tests, the_driver_sets_the_sizes_of_cdb_and_sense);
    tcase_add_test(tests, a_cdb_of_no_bytes_is_zeros);
    tcase_add_test(tests, task_management_is_for_units_that_are_there);
    tcase_add_test(tests, task_management_wants_an_address);
    tcase_add_test(tests, after_a_reset_the_next_command_hears_of_it);
    tcase_add_test(tests, notifications_can_be_asked_for_but_there_are_none);
    tcase_add_loop_test(tests, a_control_request_without_form_breaks_the_device, 0, 6);
    tcase_add_test(tests, buffers_for_events_stay_in_the_ring);
    tcase_add_test(tests, slow_commands_end_in_any_order);
    tcase_add_test(tests, a_batch_is_committed_once);
    tcase_add_test(tests, a_task_is_found_while_it_is_under_way);
    tcase_add_test(tests, an_aborted_command_comes_back_before_the_answer);
    tcase_add_test(tests, a_reset_waits_for_what_is_under_way);
    tcase_add_test(tests, a_full_pool_leaves_requests_in_the_ring);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(scsi_suite());
}
