/*
 * test_net.c: frames both ways over a socket pair, what a header may ask for, and the
 * control queue.
 *
 * Long, because every field of a frame's header can lie.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "05-virtio/net_fd.h"
#include "05-virtio/virtio_net.h"
#include "guest.h"

#define BUFFER  GUEST_FREE
#define CONTROL 2u
#define MERGE   VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF)
#define HEADER  12u

static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3}, other[6] = {0x52, 0x54, 0, 9, 9, 9};

static struct guest guest;
static struct virtio_net net;
static struct net_fd socket_end;
static int far_end;
static uint64_t offloads;

static void start(uint64_t features, unsigned ring)
{
    int pair[2];

    guest_ram(&guest);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    net_fd_socket(&socket_end, pair[0]);
    socket_end.backend.offloads = offloads;
    far_end = pair[1];
    virtio_net_init(&net, &guest.memory, &socket_end.backend, mac, 1);
    guest_drive(&guest, &net.device, features, ring);
}

static void power_up(void)
{
    offloads = 0;
    start(UINT64_MAX, 64);
}

static void done(void)
{
    net_fd_close(&socket_end);
    close(far_end);
    guest_memory_free(&guest.memory);
}

static void again(uint64_t features, unsigned ring)
{
    done();
    start(features, ring);
}

/* A frame in buf, to an address, each byte after it from a counter. */
static void make_frame(uint8_t *frame, size_t size, const uint8_t *to)
{
    memset(frame, 0, size);
    memcpy(frame, to, size < 6 ? size : 6);
    for (size_t i = 14; i < size; i++)
        frame[i] = (uint8_t)(i * 31 + size);
}

/* Header and frame in guest memory. */
static uint8_t *put(const struct virtio_net_hdr_v1 *header, size_t size)
{
    uint8_t *bytes = guest_at(&guest, BUFFER, HEADER + size);

    memcpy(bytes, header, HEADER);
    make_frame(bytes + HEADER, size, other);
    return bytes + HEADER;
}

static ssize_t arrives(uint8_t *frame, size_t size)
{
    return recv(far_end, frame, size, MSG_DONTWAIT);
}

static bool send_frame(const struct virtio_net_hdr_v1 *header, size_t size)
{
    uint8_t *frame = put(header, size), got[70000];
    ssize_t count;

    ck_assert_int_eq(
        guest_call(&guest, 1, &(struct piece){BUFFER, (uint32_t)(HEADER + size), false}, 1), 0);
    count = arrives(got, sizeof got);
    if (count < 0)
        return false;
    ck_assert_int_eq(count, size);
    ck_assert_mem_eq(got, frame, size);
    return true;
}

static const struct virtio_net_hdr_v1 plain;

START_TEST(frames_go_out)
{
    static const size_t sizes[] = {14, 60, 1514, 9014, NET_FRAME_MAX};

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
        ck_assert(send_frame(&plain, sizes[i]));
    ck_assert_uint_eq(net.dropped_from_guest, 0);
}
END_TEST

START_TEST(a_frame_of_a_wrong_size_is_dropped) /* NET01, NET02, NET04, NET05 */
{
    static const uint32_t sizes[] = {0, 1, 5, 11, 12, 13, 25, HEADER + 65551, 1 << 20, 8 << 20};
    uint8_t got[16];

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        ck_assert_int_eq(guest_call(&guest, 1, &(struct piece){BUFFER, sizes[i], false}, 1), 0);
        ck_assert_int_lt(arrives(got, sizeof got), 0);
    }
    ck_assert_uint_eq(net.dropped_from_guest, ARRAY_SIZE(sizes));
    ck_assert(send_frame(&plain, 60));
}
END_TEST

START_TEST(a_frame_may_be_cut_anywhere) /* NET08, NET09 */
{
    struct piece pieces[20];
    uint8_t *frame = put(&plain, 100), got[200];

    for (unsigned i = 0; i < 12; i++)
        pieces[i] = (struct piece){BUFFER + i, 1, false};
    pieces[12] = (struct piece){BUFFER, 0, false};
    pieces[13] = (struct piece){BUFFER + 12, 99, false};
    pieces[14] = (struct piece){BUFFER + 111, 1, false};
    pieces[15] = (struct piece){BUFFER, 64, true}; /* NET07: ignored */
    ck_assert_int_eq(guest_call(&guest, 1, pieces, 16), 0);
    ck_assert_int_eq(arrives(got, sizeof got), 100);
    ck_assert_mem_eq(got, frame, 100);
}
END_TEST

static const struct {
    struct virtio_net_hdr_v1 header;
    bool passes, passes_with_offloads;
} headers[] = {
    {{.num_buffers = 0xffff}, true, true},                                     /* NET17 */
    {{.flags = 0xfe}, true, true},                                             /* NET16 */
    {{.flags = 0xff, .csum_start = 34, .csum_offset = 16}, false, true},       /* NET16 */
    {{.flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff}, false, false}, /* NET14 */
    {{.flags = 1, .csum_start = 50, .csum_offset = 49}, false, false},         /* NET15 */
    {{.flags = 1, .csum_start = 0xfff0, .csum_offset = 0x20}, false, false},   /* sums up to 16 */
    {{.flags = 1, .csum_start = 50, .csum_offset = 48}, false, true},
    {{.gso_type = 0xff, .gso_size = 100, .flags = 1}, false, false}, /* NET10 */
    {{.gso_type = 2, .gso_size = 100, .flags = 1}, false, false},
    {{.gso_type = 1, .gso_size = 0, .flags = 1, .csum_start = 34}, false, false}, /* NET11 */
    {{.gso_type = 1, .gso_size = 90, .flags = 1, .csum_start = 34}, false, true}, /* NET12 */
    {{.gso_type = 1, .gso_size = 90}, false, false}, /* segments without checksums */
    {{.gso_type = 4, .gso_size = 90, .flags = 1, .csum_start = 34}, false, false}, /* no TSO6 */
    {{.gso_type = 0x81, .gso_size = 90, .flags = 1, .csum_start = 34}, false, false},
    {{.gso_type = 1, .gso_size = 90, .flags = 1, .csum_start = 34, .hdr_len = 0xffff},
     false,
     true}, /* NET13 */
    {{.hdr_len = 0xffff, .gso_size = 0xffff}, true, true},
};

START_TEST(a_header_asks_for_no_more_than_was_agreed)
{
    ck_assert_int_eq(send_frame(&headers[_i].header, 100), headers[_i].passes);
    offloads = VIRTIO_FEATURE(VIRTIO_NET_F_CSUM) | VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO4);
    again(UINT64_MAX, 64);
    ck_assert_int_eq(send_frame(&headers[_i].header, 100), headers[_i].passes_with_offloads);
    ck_assert(send_frame(&plain, 60));
}
END_TEST

/* Frames to the guest. */

static const uint64_t features[] = {UINT64_MAX, UINT64_MAX & ~VIRTIO_FEATURE(VIRTIO_F_RING_PACKED),
                                    UINT64_MAX & ~VIRTIO_FEATURE(VIRTIO_F_RING_PACKED) & ~MERGE};

static void arrive(size_t size, const uint8_t *to)
{
    uint8_t frame[70000];

    make_frame(frame, size, to);
    ck_assert_int_eq(send(far_end, frame, size, MSG_DONTWAIT), size);
    net_fd_ready(&socket_end);
}

static void lend(gpa_t address, uint32_t size)
{
    guest_send(&guest, 0, &(struct piece){address, size, true}, 1);
}

static unsigned buffers_of(gpa_t address)
{
    return ((struct virtio_net_hdr_v1 *)guest_at(&guest, address, HEADER))->num_buffers;
}

START_TEST(frames_come_in)
{
    uint8_t expected[1514];

    lend(BUFFER, 2048);
    arrive(1514, mac);
    make_frame(expected, 1514, mac);
    ck_assert_int_eq(guest_receive(&guest, 0), HEADER + 1514);
    ck_assert_mem_eq(guest_at(&guest, BUFFER + HEADER, 1514), expected, 1514);
    ck_assert_uint_eq(buffers_of(BUFFER), 1);
    ck_assert_uint_eq(guest.used[0], 1);
}
END_TEST

START_TEST(frames_that_come_together_interrupt_once)
{
    uint8_t frame[60];

    again(~VIRTIO_FEATURE(VIRTIO_RING_F_EVENT_IDX), 64);
    make_frame(frame, sizeof frame, mac);
    for (unsigned i = 0; i < 4; i++) {
        lend(BUFFER + 0x1000 * i, 2048);
        ck_assert_int_eq(send(far_end, frame, sizeof frame, 0), sizeof frame);
    }
    net_fd_ready(&socket_end);
    ck_assert_uint_eq(guest.used[0], 1);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(guest_receive(&guest, 0), HEADER + sizeof frame);
    net_fd_ready(&socket_end); /* nothing has come, nothing is told */
    ck_assert_uint_eq(guest.used[0], 1);
}
END_TEST

static bool rings_after_adding(gpa_t address)
{
    ck_assert_int_ge(ring_add(&guest.rings[0], &(struct piece){address, 2048, true}, 1, false), 0);
    return ring_publish(&guest.rings[0]);
}

START_TEST(a_driver_rings_for_new_buffers_only_when_there_were_none)
{
    again(features[_i], 64);
    lend(BUFFER, 2048);
    ck_assert(!rings_after_adding(BUFFER + 0x1000));
    arrive(60, mac);
    ck_assert(!rings_after_adding(BUFFER + 0x2000));
    for (unsigned i = 0; i < 3; i++)
        arrive(60, mac); /* the last one has to wait */
    ck_assert(rings_after_adding(BUFFER + 0x3000));
}
END_TEST

START_TEST(a_frame_is_spread_over_several_buffers)
{
    uint8_t expected[1514];

    make_frame(expected, 1514, mac);
    for (unsigned i = 0; i < 4; i++)
        lend(BUFFER + 0x1000 * i, 500);
    arrive(1514, mac);
    ck_assert_int_eq(guest_receive(&guest, 0), 500);
    ck_assert_int_eq(guest_receive(&guest, 0), 500);
    ck_assert_int_eq(guest_receive(&guest, 0), 500);
    ck_assert_int_eq(guest_receive(&guest, 0), 26);
    ck_assert_uint_eq(buffers_of(BUFFER), 4);
    ck_assert_mem_eq(guest_at(&guest, BUFFER + HEADER, 488), expected, 488);
    ck_assert_mem_eq(guest_at(&guest, BUFFER + 0x1000, 500), expected + 488, 500);
    ck_assert_mem_eq(guest_at(&guest, BUFFER + 0x3000, 26), expected + 1488, 26);
}
END_TEST

START_TEST(a_frame_waits_for_enough_buffers)
{
    again(_i ? UINT64_MAX : ~VIRTIO_FEATURE(VIRTIO_F_RING_PACKED), 64);
    lend(BUFFER, 500);
    arrive(1514, mac);
    ck_assert_int_eq(guest_receive(&guest, 0), -1);
    ck_assert(!net_fd_wants(&socket_end));
    lend(BUFFER + 0x1000, 500);
    ck_assert_int_eq(guest_receive(&guest, 0), -1);
    lend(BUFFER + 0x2000, 1500);
    ck_assert_int_eq(guest_receive(&guest, 0), 500);
    ck_assert_int_eq(guest_receive(&guest, 0), 500);
    ck_assert_int_eq(guest_receive(&guest, 0), 526);
    ck_assert_uint_eq(buffers_of(BUFFER), 3);
    ck_assert(net_fd_wants(&socket_end));
}
END_TEST

START_TEST(a_frame_that_can_never_fit_is_dropped)
{
    again(UINT64_MAX, 4);
    for (unsigned i = 0; i < 4; i++)
        lend(BUFFER + 0x1000 * i, 100);
    arrive(1514, mac);
    ck_assert_uint_eq(net.dropped_to_guest, 1);
    ck_assert_uint_eq(net.device.dropped, 1);
    arrive(60, mac);
    ck_assert_int_eq(guest_receive(&guest, 0), 72);
}
END_TEST

START_TEST(without_merging_a_buffer_must_hold_all) /* NET21 */
{
    again(UINT64_MAX & ~MERGE, 8);
    lend(BUFFER, 100);
    lend(BUFFER + 0x1000, 2048);
    arrive(1514, mac);
    ck_assert_int_eq(guest_receive(&guest, 0), 0);
    ck_assert_uint_eq(net.dropped_to_guest, 1);
    ck_assert_uint_eq(net.device.dropped, 1);
    arrive(1514, mac);
    ck_assert_int_eq(guest_receive(&guest, 0), HEADER + 1514);
    ck_assert_uint_eq(buffers_of(BUFFER + 0x1000), 1);
}
END_TEST

START_TEST(a_buffer_smaller_than_a_header_breaks_the_device) /* NET19 */
{
    lend(BUFFER, _i ? 12 : 1);
    arrive(60, mac);
    ck_assert(guest_needs_reset(&guest));
    guest_drive(&guest, &net.device, UINT64_MAX, 8);
    lend(BUFFER, 2048);
    arrive(60, mac);
    while (guest_receive(&guest, 0) == -1)
        net_fd_ready(&socket_end);
}
END_TEST

START_TEST(a_ring_of_one_is_enough) /* NET28 */
{
    again(UINT64_MAX, 1);
    for (unsigned i = 0; i < 1000; i++) {
        lend(BUFFER, 2048);
        arrive(60 + i, mac);
        ck_assert_int_eq(guest_receive(&guest, 0), HEADER + 60 + i);
    }
}
END_TEST

START_TEST(traffic_resumes_when_buffers_come_back) /* NET27 */
{
    uint8_t frame[60];
    unsigned came = 0;

    make_frame(frame, sizeof frame, mac);
    for (unsigned i = 0; i < 100000; i++)
        if (send(far_end, frame, sizeof frame, MSG_DONTWAIT) > 0)
            net_fd_ready(&socket_end);
    lend(BUFFER, 2048);
    net_fd_ready(&socket_end);
    while (guest_receive(&guest, 0) == 72) {
        came++;
        lend(BUFFER, 2048);
        net_fd_ready(&socket_end);
    }
    ck_assert_uint_gt(came, 5);
    arrive(60, mac);
    ck_assert_int_eq(guest_receive(&guest, 0), 72);
}
END_TEST

START_TEST(a_buffer_outside_ram_breaks_the_device) /* NET24 */
{
    again(features[_i], 8);
    lend(0xe0000000, 2048);
    arrive(60, mac);
    ck_assert(guest_needs_reset(&guest));
    guest_drive(&guest, &net.device, features[_i], 8);
    lend(BUFFER, 2048);
    net_fd_ready(&socket_end);
    arrive(60, mac);
    ck_assert_int_eq(guest_receive(&guest, 0), 72);
}
END_TEST

/* The frame is written over the rings; then anything may happen, but to us. */
START_TEST(a_buffer_over_the_rings_is_the_guests_problem) /* NET25 */
{
    again(features[_i], 8);
    for (unsigned part = 0; part < 3; part++) {
        const gpa_t parts[] = {guest.rings[0].setup.device, guest.rings[0].setup.driver,
                               guest.rings[0].setup.descriptors};

        for (unsigned i = 0; i < 4; i++)
            lend(parts[part], 1514 + HEADER);
        for (unsigned i = 0; i < 4; i++)
            arrive(1514, mac);
        guest_drive(&guest, &net.device, features[_i], 8);
        while (socket_end.waiting > 0) {
            lend(BUFFER, 2048);
            net_fd_ready(&socket_end);
            ck_assert_int_gt(guest_receive(&guest, 0), 0);
        }
        lend(BUFFER, 2048);
        arrive(60, mac);
        ck_assert_int_eq(guest_receive(&guest, 0), 72);
    }
}
END_TEST

/* Nobody reads at the far end; then somebody does. */
START_TEST(a_wire_that_takes_nothing_loses_frames_at_once) /* NET41 */
{
    uint8_t frame[60];
    struct timespec before, after;

    clock_gettime(CLOCK_MONOTONIC, &before);
    put(&plain, 60);
    for (unsigned i = 0; i < 20000; i++)
        ck_assert_int_eq(guest_call(&guest, 1, &(struct piece){BUFFER, 72, false}, 1), 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    ck_assert_int_lt(after.tv_sec - before.tv_sec, 10);
    ck_assert_uint_gt(socket_end.dropped, 0);
    while (arrives(frame, sizeof frame) > 0)
        ;
    ck_assert(send_frame(&plain, 60));
}
END_TEST

/* A bridge that sends everything back, as fast as it comes. */
START_TEST(a_frame_that_comes_back_is_a_frame_like_others) /* NET44 */
{
    static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
    uint8_t frame[200];

    for (unsigned i = 0; i < 1000; i++) {
        put(&plain, 100);
        make_frame(guest_at(&guest, BUFFER + HEADER, 100), 100, broadcast);
        memcpy(guest_at(&guest, BUFFER + HEADER + 6, 6), mac, 6); /* the source is ourselves */
        ck_assert_int_eq(guest_call(&guest, 1, &(struct piece){BUFFER, 112, false}, 1), 0);
        ck_assert_int_eq(arrives(frame, sizeof frame), 100);
        lend(BUFFER + 0x1000, 2048);
        ck_assert_int_eq(send(far_end, frame, 100, MSG_DONTWAIT), 100);
        net_fd_ready(&socket_end);
        ck_assert_int_eq(guest_receive(&guest, 0), 112);
        ck_assert_int_lt(arrives(frame, sizeof frame), 0); /* and nothing more goes out */
    }
}
END_TEST

/* And one that is no further than the back end itself. */
static void send_back(void *self, unsigned pair, const struct virtio_net_hdr_v1 *header,
                      const struct iovec *iov, unsigned count)
{
    uint8_t frame[2048];
    size_t size = 0;

    (void)self, (void)pair, (void)header;
    for (unsigned i = 0; i < count; i++) {
        memcpy(frame + size, iov[i].iov_base, iov[i].iov_len);
        size += iov[i].iov_len;
    }
    net.backend->receiver.receive(net.backend->receiver.self, &plain, frame, size);
}

START_TEST(a_frame_may_come_back_while_it_is_sent) /* NET44 */
{
    again(features[_i], 16);
    socket_end.backend.send = send_back;
    lend(BUFFER + 0x2000, 2048); /* so that buffers of both queues have different names */
    for (unsigned i = 0; i < 100; i++) {
        lend(BUFFER + 0x1000, 2048);
        make_frame((uint8_t *)put(&plain, 100), 100, mac);
        ck_assert_int_eq(guest_call(&guest, 1, &(struct piece){BUFFER, 112, false}, 1), 0);
        ck_assert_int_eq(guest_receive(&guest, 0), 112);
    }
}
END_TEST

START_TEST(no_mtu_is_offered_and_long_frames_pass) /* NET50 */
{
    ck_assert(!(virtio_device_features(&net.device, 0) & VIRTIO_FEATURE(VIRTIO_NET_F_MTU)));
    ck_assert(send_frame(&plain, 9014));
    for (unsigned i = 0; i < 7; i++)
        lend(BUFFER + 0x1000 * i, 1526);
    arrive(9014, mac);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_int_gt(guest_receive(&guest, 0), 0);
    ck_assert_uint_eq(buffers_of(BUFFER), 6);
    ck_assert_uint_eq(net.dropped_to_guest, 0);
}
END_TEST

START_TEST(a_network_may_take_large_packets)
{
    socket_end.backend.mtu = 65520;
    virtio_net_init(&net, &guest.memory, &socket_end.backend, mac, 1);
    ck_assert(virtio_device_features(&net.device, 0) & VIRTIO_FEATURE(VIRTIO_NET_F_MTU));
    ck_assert_uint_eq(virtio_device_config_read(&net.device, 10, 2), 65520);
    ck_assert_uint_eq(virtio_device_config_read(&net.device, 12, 4), 0);
}
END_TEST

START_TEST(a_million_notifications_do_no_harm) /* NET40 */
{
    for (unsigned i = 0; i < 1000000; i++)
        virtio_device_notify(&net.device, 0);
    ck_assert(send_frame(&plain, 60));
}
END_TEST

START_TEST(a_far_end_that_leaves_does_no_harm) /* NET42 */
{
    close(far_end);
    ck_assert_int_eq(guest_call(&guest, 1, &(struct piece){BUFFER, 100, false}, 1), 0);
    net_fd_ready(&socket_end);
    ck_assert(!net_fd_wants(&socket_end));
    ck_assert_uint_eq(socket_end.dropped, 1);
    far_end = dup(0);
}
END_TEST

START_TEST(a_frame_that_is_too_long_is_dropped) /* NET43 */
{
    uint8_t frame[NET_FRAME_MAX + 100] = {0};

    for (unsigned i = 0; i < 40; i++)
        lend(BUFFER + 2048 * i, 2048);
    if (send(far_end, frame, sizeof frame, 0) > 0)
        net_fd_ready(&socket_end);
    ck_assert_int_eq(guest_receive(&guest, 0), -1);
    ck_assert_uint_eq(net.dropped_to_guest, 1);
    ck_assert_uint_eq(net.device.dropped, 1);
    arrive(NET_FRAME_MAX, mac);
    for (unsigned i = 0; i < 33; i++)
        ck_assert_int_gt(guest_receive(&guest, 0), 0);
    ck_assert_uint_eq(buffers_of(BUFFER), 33);
}
END_TEST

/* The control queue. */

static uint8_t control(uint8_t class, uint8_t command, const void *data, uint32_t size)
{
    struct piece pieces[] = {{BUFFER, 2 + size, false}, {BUFFER + 0x2000, 1, true}};
    uint8_t *bytes = guest_at(&guest, BUFFER, 0x2001);

    bytes[0] = class;
    bytes[1] = command;
    memcpy(bytes + 2, data, size);
    bytes[0x2000] = 0x77;
    ck_assert_int_eq(guest_call(&guest, CONTROL, pieces, 2), 1);
    return bytes[0x2000];
}

static bool hears(const uint8_t *to)
{
    lend(BUFFER + 0x4000, 2048);
    arrive(60, to);
    if (guest_receive(&guest, 0) == 72)
        return true;
    virtio_device_reset_queue(&net.device, 0);
    ring_init(&guest.rings[0], &guest.memory, GUEST_RINGS, 64, net.device.accepted);
    ring_enable_interrupts(&guest.rings[0]);
    virtio_device_queue_setup(&net.device, 0)->setup = guest.rings[0].setup;
    virtio_device_enable_queue(&net.device, 0);
    return false;
}

START_TEST(the_filter_does_what_it_is_told)
{
    static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255},
                         group[6] = {1, 0, 94, 1, 2, 3};
    static const uint8_t on = 1, off = 0;
    uint8_t table[4 + 6 + 4 + 6] = {1};

    ck_assert(hears(mac));
    ck_assert(hears(broadcast));
    ck_assert(!hears(other));
    ck_assert(!hears(group));
    ck_assert_uint_eq(control(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, &on, 1), 0);
    ck_assert(hears(other));
    ck_assert_uint_eq(control(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, &off, 1), 0);
    ck_assert_uint_eq(control(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, &on, 1), 0);
    ck_assert(hears(group));
    ck_assert_uint_eq(control(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, &off, 1), 0);
    ck_assert_uint_eq(control(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST, &on, 1), 0);
    ck_assert(!hears(broadcast));
    memcpy(table + 4, other, 6);
    table[10] = 1;
    memcpy(table + 14, group, 6);
    ck_assert_uint_eq(control(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, table, 20), 0);
    ck_assert(hears(other));
    ck_assert(hears(group));
    ck_assert_uint_eq(control(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, other, 6), 0);
    ck_assert(!hears(mac));
}
END_TEST

START_TEST(a_wrong_request_is_an_error) /* NET30, NET32, NET34, NET36 */
{
    static const uint8_t zeros[8], many[12] = {255, 255, 255, 255}, vlan[2] = {255, 255};

    ck_assert_uint_eq(control(0xff, 0xff, zeros, 8), VIRTIO_NET_ERR);
    ck_assert_uint_eq(control(0, 0xff, zeros, 1), VIRTIO_NET_ERR);
    ck_assert_uint_eq(control(0, 0, zeros, 0), VIRTIO_NET_ERR);
    ck_assert_uint_eq(control(1, 0, many, 12), VIRTIO_NET_ERR);
    ck_assert_uint_eq(control(1, 0, zeros, 4), VIRTIO_NET_ERR);
    ck_assert_uint_eq(control(1, 0, zeros, 8), VIRTIO_NET_OK);
    ck_assert_uint_eq(control(1, 1, zeros, 5), VIRTIO_NET_ERR);
    ck_assert_uint_eq(control(2, 0, vlan, 2), VIRTIO_NET_ERR);
    ck_assert_uint_eq(control(4, 0, zeros, 2), VIRTIO_NET_ERR);
    ck_assert_uint_eq(control(4, 1, many, 12), VIRTIO_NET_ERR);
    ck_assert_int_eq(guest_call(&guest, CONTROL,
                                (struct piece[]){{BUFFER, 1, false}, {BUFFER + 64, 1, true}}, 2),
                     1);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, BUFFER + 64, 1), VIRTIO_NET_ERR);
    ck_assert(hears(mac));
    ck_assert(!hears(other));
}
END_TEST

START_TEST(more_addresses_than_we_keep_mean_all)
{
    static uint8_t table[4 + 65 * 6 + 4];

    table[0] = 65;
    memset(table + 4, 2, 65 * 6);
    ck_assert_uint_eq(control(1, 0, table, sizeof table), VIRTIO_NET_OK);
    ck_assert(hears(other));
    ck_assert_uint_eq(control(1, 0, (uint8_t[8]){0}, 8), VIRTIO_NET_OK);
}
END_TEST

START_TEST(several_pairs_are_used_as_the_driver_says)
{
    static const uint16_t two = 2, three = 3, none = 0;
    uint8_t *bytes, frame[60];

    virtio_net_init(&net, &guest.memory, &socket_end.backend, mac, 2);
    guest_drive(&guest, &net.device, UINT64_MAX, 16);
    ck_assert_uint_eq(virtio_device_config_read(&net.device, 8, 2), 2);
#define SET(value)                                                                                 \
    (bytes = guest_at(&guest, BUFFER, 64), bytes[0] = 4, bytes[1] = 0,                             \
     memcpy(bytes + 2, &(value), 2),                                                               \
     guest_call(&guest, 4, (struct piece[]){{BUFFER, 4, false}, {BUFFER + 32, 1, true}}, 2),       \
     bytes[32])
    ck_assert_uint_eq(SET(three), VIRTIO_NET_ERR);
    ck_assert_uint_eq(SET(none), VIRTIO_NET_ERR);
    ck_assert_uint_eq(SET(two), VIRTIO_NET_OK);
    /* A frame sent from pair 1; the answer comes back there. */
    put(&plain, 60);
    ck_assert_int_eq(guest_call(&guest, 3, &(struct piece){BUFFER, 72, false}, 1), 0);
    ck_assert_int_eq(arrives(frame, sizeof frame), 60);
    guest_send(&guest, 2, &(struct piece){BUFFER + 0x8000, 2048, true}, 1);
    memcpy(frame, mac, 6);
    ck_assert_int_eq(send(far_end, frame, 60, 0), 60);
    net_fd_ready(&socket_end);
    ck_assert_int_eq(guest_receive(&guest, 2), 72);
}
END_TEST

START_TEST(the_configuration_is_what_was_offered) /* NET38, NET39 */
{
    ck_assert_uint_eq(virtio_device_config_read(&net.device, 0, 4), 0x01005452);
    ck_assert_uint_eq(virtio_device_config_read(&net.device, 6, 2), 1);
    for (unsigned offset = 8; offset < 64; offset++)
        ck_assert_uint_eq(virtio_device_config_read(&net.device, offset, 1), 0);
    virtio_device_config_write(&net.device, 0, 4, 0);
    ck_assert_mem_eq(net.config.mac, mac, 6);
    virtio_net_set_link(&net, false);
    ck_assert_uint_eq(virtio_device_config_read(&net.device, 6, 2), 0);
    ck_assert_uint_eq(guest.changed, 1);
}
END_TEST

START_TEST(features_come_with_what_they_need)
{
    uint64_t tso = VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO4);

    offloads = tso | VIRTIO_FEATURE(VIRTIO_NET_F_CSUM);
    again(UINT64_MAX, 8);
    guest_negotiate(&guest, &net.device, tso);
    ck_assert(!(virtio_device_status(&net.device) & VIRTIO_CONFIG_S_FEATURES_OK));
    guest_negotiate(&guest, &net.device, offloads);
    ck_assert(virtio_device_status(&net.device) & VIRTIO_CONFIG_S_FEATURES_OK);
}
END_TEST

static Suite *net_suite(void)
{
    Suite *suite = suite_create("virtio_net");
    TCase *tests = tcase_create("frames");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, frames_go_out);
    tcase_add_test(tests, a_frame_of_a_wrong_size_is_dropped);
    tcase_add_test(tests, a_frame_may_be_cut_anywhere);
    tcase_add_loop_test(tests, a_header_asks_for_no_more_than_was_agreed, 0, ARRAY_SIZE(headers));
    tcase_add_test(tests, frames_come_in);
    tcase_add_test(tests, frames_that_come_together_interrupt_once);
    tcase_add_loop_test(tests, a_driver_rings_for_new_buffers_only_when_there_were_none, 0,
                        ARRAY_SIZE(features));
    tcase_add_test(tests, a_frame_is_spread_over_several_buffers);
    tcase_add_loop_test(tests, a_frame_waits_for_enough_buffers, 0, 2);
    tcase_add_test(tests, a_frame_that_can_never_fit_is_dropped);
    tcase_add_test(tests, without_merging_a_buffer_must_hold_all);
    tcase_add_loop_test(tests, a_buffer_smaller_than_a_header_breaks_the_device, 0, 2);
    tcase_add_test(tests, a_ring_of_one_is_enough);
    tcase_add_test(tests, traffic_resumes_when_buffers_come_back);
    tcase_add_loop_test(tests, a_buffer_outside_ram_breaks_the_device, 0, ARRAY_SIZE(features));
    tcase_add_loop_test(tests, a_buffer_over_the_rings_is_the_guests_problem, 0,
                        ARRAY_SIZE(features));
    tcase_add_test(tests, a_wire_that_takes_nothing_loses_frames_at_once);
    tcase_add_test(tests, a_frame_that_comes_back_is_a_frame_like_others);
    tcase_add_loop_test(tests, a_frame_may_come_back_while_it_is_sent, 0, ARRAY_SIZE(features));
    tcase_add_test(tests, no_mtu_is_offered_and_long_frames_pass);
    tcase_add_test(tests, a_network_may_take_large_packets);
    tcase_add_test(tests, a_million_notifications_do_no_harm);
    tcase_add_test(tests, a_far_end_that_leaves_does_no_harm);
    tcase_add_test(tests, a_frame_that_is_too_long_is_dropped);
    tcase_add_test(tests, the_filter_does_what_it_is_told);
    tcase_add_test(tests, a_wrong_request_is_an_error);
    tcase_add_test(tests, more_addresses_than_we_keep_mean_all);
    tcase_add_test(tests, several_pairs_are_used_as_the_driver_says);
    tcase_add_test(tests, the_configuration_is_what_was_offered);
    tcase_add_test(tests, features_come_with_what_they_need);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(net_suite());
}
