/*
 * test_net_fast.c: what makes a network card fast: interrupts that come late or never, a
 * thread that does not hurry while a stream flows, rings that somebody else serves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "05-virtio/net_fd.h"
#include "05-virtio/virtio_net.h"
#include "05-virtio/worker.h"
#include "guest.h"

#define BUFFER GUEST_FREE
#define HEADER 12u

static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3};
static const uint64_t layouts[] = {UINT64_MAX, ~VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)};

static struct guest guest;
static struct virtio_net net;
static struct net_fd socket_end;
static int far_end;

static void power_up(void)
{
    int pair[2];

    guest_ram(&guest);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    net_fd_socket(&socket_end, pair[0]);
    far_end = pair[1];
    virtio_net_init(&net, &guest.memory, &socket_end.backend, mac, 1);
}

static void done(void)
{
    net_fd_close(&socket_end);
    close(far_end);
    guest_memory_free(&guest.memory);
}

/* ---- interrupts ---- */

static void send_frame(uint32_t size)
{
    memset(guest_at(&guest, BUFFER, HEADER + size), 0, HEADER + size);
    guest_send(&guest, 1, &(struct piece){BUFFER, HEADER + size, false}, 1);
}

START_TEST(who_has_sent_is_told_late)
{
    net.device.defers = true;
    guest_drive(&guest, &net.device, layouts[_i], 64);
    send_frame(60);
    ck_assert_uint_eq(guest.used[1], 0);
    virtio_device_tell(&net.device);
    ck_assert_uint_eq(guest.used[1], 1);
    virtio_device_tell(&net.device);
    ck_assert_uint_eq(guest.used[1], 1);
    ck_assert_int_eq(guest_receive(&guest, 1), 0);
}
END_TEST

START_TEST(who_has_looked_is_not_told)
{
    net.device.defers = true;
    guest_drive(&guest, &net.device, layouts[_i], 64);
    for (unsigned i = 0; i < 1000; i++) {
        send_frame(60);
        ck_assert_int_eq(guest_receive(&guest, 1), 0); /* and asks for the next */
        virtio_device_tell(&net.device);
        net.device.class->streams(&net); /* as its thread asks before it waits */
        recv(far_end, &(char){0}, 1, MSG_DONTWAIT);
    }
    ck_assert_uint_eq(guest.used[1], 0);
}
END_TEST

START_TEST(who_has_sent_much_is_told_at_once)
{
    net.device.defers = true;
    guest_drive(&guest, &net.device, layouts[_i], 64);
    for (unsigned i = 0; i < 20; i++)
        send_frame(60);
    ck_assert_uint_eq(guest.used[1], 1);
}
END_TEST

START_TEST(who_has_sent_a_large_frame_is_told_at_once)
{
    net.device.defers = true;
    guest_drive(&guest, &net.device, layouts[_i], 64);
    send_frame(60000);
    ck_assert_uint_eq(guest.used[1], 1);
}
END_TEST

START_TEST(a_reset_forgets_what_was_not_told)
{
    net.device.defers = true;
    guest_drive(&guest, &net.device, layouts[_i], 64);
    send_frame(60);
    guest_drive(&guest, &net.device, layouts[_i], 64);
    virtio_device_tell(&net.device);
    ck_assert_uint_eq(guest.used[1], 0);
}
END_TEST

START_TEST(without_a_thread_nothing_is_late)
{
    guest_drive(&guest, &net.device, layouts[_i], 64);
    send_frame(60);
    ck_assert_uint_eq(guest.used[1], 1);
}
END_TEST

/* ---- the thread ---- */

static int no_frames(void *self)
{
    (void)self;
    return -1;
}

static bool becomes(struct virtio_worker *worker, int wanted)
{
    for (unsigned tries = 0; tries < 2000; tries++) {
        struct sched_param parameters;
        int policy;

        if (pthread_getschedparam(worker->thread, &policy, &parameters) == 0 && policy == wanted)
            return true;
        usleep(1000);
    }
    return false;
}

static bool comes_back(unsigned frames)
{
    for (unsigned tries = 0; frames > 0 && tries < 2000; tries++)
        if (guest_receive(&guest, 1) >= 0)
            frames--;
        else
            usleep(1000);
    return frames == 0;
}

START_TEST(a_thread_does_not_hurry_while_a_stream_flows)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct virtio_wire wire;
    struct virtio_worker worker;

    net.device.wire = (struct virtio_wire){guest_used, guest_changed, &guest};
    virtio_worker_init(&worker, &net.device, &lock);
    worker.source = (struct virtio_source){no_frames, NULL, NULL};
    virtio_worker_start(&worker, "net");
    wire = net.device.wire;
    guest_drive(&guest, &net.device, UINT64_MAX, 64);
    net.device.wire = wire;

    send_frame(60);
    ck_assert(comes_back(1));
    ck_assert(becomes(&worker, SCHED_OTHER));
    send_frame(65000);
    ck_assert(comes_back(1));
    ck_assert(becomes(&worker, SCHED_BATCH));
    for (unsigned i = 0; i < 40; i++) {
        send_frame(60);
        ck_assert(comes_back(1));
    }
    ck_assert(becomes(&worker, SCHED_OTHER));
    guest.used[1] = 0;
    send_frame(60);
    for (unsigned tries = 0; tries < 2000 && guest.used[1] == 0; tries++)
        usleep(1000); /* nobody looks, nobody kicks: it is told after a while */
    ck_assert_uint_eq(guest.used[1], 1);
    virtio_worker_stop(&worker);
}
END_TEST

/* ---- rings that are served elsewhere: here, by nobody ---- */

static unsigned starts, stops;
static int start_error, call_fd;

static int bypass_start(void *self, struct virtio_device *device)
{
    (void)self;
    ck_assert_uint_gt(device->queues[0].ring.size, 0);
    starts++;
    return start_error;
}

static void bypass_stop(void *self)
{
    (void)self;
    stops++;
}

static void bypass_call_by(void *self, int fd)
{
    (void)self;
    call_fd = fd;
}

static struct net_bypass bypass;

static void power_up_elsewhere(void)
{
    power_up();
    starts = stops = 0;
    start_error = 0;
    bypass = (struct net_bypass){.features = ~VIRTIO_FEATURE(VIRTIO_F_RING_PACKED),
                                 .start = bypass_start,
                                 .stop = bypass_stop};
    for (unsigned i = 0; i < 2; i++)
        bypass.rings[i] = (struct virtio_elsewhere){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                                    bypass_call_by, NULL};
    socket_end.backend.bypass = &bypass;
    virtio_net_init(&net, &guest.memory, &socket_end.backend, mac, 1);
}

static void done_elsewhere(void)
{
    close(bypass.rings[0].kick_fd);
    close(bypass.rings[1].kick_fd);
    done();
}

static bool kicked(unsigned queue)
{
    uint64_t count;

    return read(bypass.rings[queue].kick_fd, &count, sizeof count) == sizeof count;
}

START_TEST(a_ring_that_is_served_elsewhere_is_not_touched)
{
    uint64_t offered = net.device.offered;

    ck_assert(!(offered & VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)));
    guest_drive(&guest, &net.device, UINT64_MAX, 64);
    ck_assert_uint_eq(starts, 1);
    ck_assert(kicked(0) && kicked(1)); /* there may be buffers already */
    send_frame(60);
    ck_assert(kicked(1) && !kicked(0));
    while (virtio_device_serve(&net.device, 1))
        ;
    ck_assert_int_eq(guest_receive(&guest, 1), -1);
    ck_assert_int_lt(recv(far_end, &(char){0}, 1, MSG_DONTWAIT), 0);
}
END_TEST

START_TEST(a_reset_stops_who_serves_it)
{
    unsigned before;

    guest_drive(&guest, &net.device, UINT64_MAX, 64);
    before = stops;
    virtio_device_set_status(&net.device, 0);
    ck_assert_uint_gt(stops, before);
    guest_drive(&guest, &net.device, UINT64_MAX, 64);
    ck_assert_uint_eq(starts, 2);
    before = stops;
    ck_assert(virtio_device_disable_queue(&net.device, 0));
    ck_assert_uint_gt(stops, before);
}
END_TEST

START_TEST(rings_that_nobody_can_serve_need_a_reset)
{
    uint64_t features = guest_negotiate(&guest, &net.device, UINT64_MAX);

    start_error = -EFAULT;
    for (unsigned i = 0; i < 2; i++) {
        ring_init(&guest.rings[i], &guest.memory, GUEST_RINGS + i * RING_BYTES, 64, features);
        virtio_device_queue_setup(&net.device, i)->setup = guest.rings[i].setup;
        virtio_device_enable_queue(&net.device, i);
    }
    virtio_device_set_status(&net.device, VIRTIO_CONFIG_S_DRIVER_OK);
    ck_assert(guest_needs_reset(&guest));
    ck_assert_uint_eq(guest.changed, 1);
}
END_TEST

static Suite *net_fast_suite(void)
{
    Suite *suite = suite_create("virtio_net, fast");
    TCase *here = tcase_create("here"), *elsewhere = tcase_create("elsewhere");

    tcase_add_checked_fixture(here, power_up, done);
    tcase_set_timeout(here, 60);
    tcase_add_loop_test(here, who_has_sent_is_told_late, 0, ARRAY_SIZE(layouts));
    tcase_add_loop_test(here, who_has_looked_is_not_told, 0, ARRAY_SIZE(layouts));
    tcase_add_loop_test(here, who_has_sent_much_is_told_at_once, 0, ARRAY_SIZE(layouts));
    tcase_add_loop_test(here, who_has_sent_a_large_frame_is_told_at_once, 0, ARRAY_SIZE(layouts));
    tcase_add_loop_test(here, a_reset_forgets_what_was_not_told, 0, ARRAY_SIZE(layouts));
    tcase_add_loop_test(here, without_a_thread_nothing_is_late, 0, ARRAY_SIZE(layouts));
    tcase_add_test(here, a_thread_does_not_hurry_while_a_stream_flows);
    tcase_add_checked_fixture(elsewhere, power_up_elsewhere, done_elsewhere);
    tcase_add_test(elsewhere, a_ring_that_is_served_elsewhere_is_not_touched);
    tcase_add_test(elsewhere, a_reset_stops_who_serves_it);
    tcase_add_test(elsewhere, rings_that_nobody_can_serve_need_a_reset);
    suite_add_tcase(suite, here);
    suite_add_tcase(suite, elsewhere);
    return suite;
}

int main(void)
{
    return harness_main(net_fast_suite());
}
