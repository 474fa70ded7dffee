/*
 * test_hostile.c: every device against a driver that writes what it likes: into rings,
 * indirect tables, request headers, configuration and status. Nothing is expected but
 * that we survive, that no byte outside the guest's memory is touched (AddressSanitizer
 * watches), and that after a reset a driver with manners is served.
 *
 * Random, but not blind: numbers near 0, near the ring's size, near the end of RAM and at
 * the edges of their types come up more often than others. RING_SEED and RING_ROUNDS
 * change where it starts and how long it goes on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "05-virtio/scsi_disk.h"
#include "05-virtio/virtio_balloon.h"
#include "05-virtio/virtio_blk.h"
#include "05-virtio/virtio_console.h"
#include "05-virtio/virtio_net.h"
#include "05-virtio/virtio_rng.h"
#include "05-virtio/virtio_scsi.h"
#include "guest.h"

#define RING  16u
#define AREA  GUEST_FREE /* where most pointers lead */
#define SIDES 0x40000u   /* bytes of it that are filled with nonsense */

static struct guest guest;
static uint64_t seed;

static struct virtio_rng rng;
static struct virtio_blk blk;
static struct virtio_console console;
static struct virtio_net net;
static struct virtio_balloon balloon;
static struct virtio_scsi scsi;

static uint64_t number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t edge(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     7,
                                     15,
                                     16,
                                     17,
                                     RING - 1,
                                     RING,
                                     RING + 1,
                                     255,
                                     256,
                                     511,
                                     512,
                                     513,
                                     4095,
                                     4096,
                                     0x7fff,
                                     0x8000,
                                     0xffff,
                                     0x10000,
                                     GUEST_RAM,
                                     GUEST_RAM - 1,
                                     0x7fffffff,
                                     0x80000000,
                                     0xfffffff0,
                                     0xffffffff,
                                     UINT64_MAX};

    return edges[number() % ARRAY_SIZE(edges)];
}

static gpa_t address(void)
{
    switch (number() % 8) {
    case 0: return edge();
    case 1: return GUEST_RINGS + number() % (4 * RING_BYTES);
    case 2: return GUEST_RAM - number() % 8192;
    default: return AREA + number() % SIDES;
    }
}

static uint32_t length(void)
{
    return (uint32_t)(number() % 4 == 0 ? edge() : number() % 4 == 1 ? 16 : number() % 2048);
}

static uint16_t flags(void)
{
    return (uint16_t)(number() % 16 == 0 ? number() : number() % 8 & (number() % 3 ? 3 : 7));
}

/* A table of descriptors, in either layout: they share all but the last four bytes. */
static void scribble_table(gpa_t table, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct vring_desc d = {address(), length(), flags(),
                               (uint16_t)(number() % 4 ? number() % RING : edge())};

        if (number() % 2) { /* as the packed ring has it: id, then flags */
            uint16_t swapped = d.flags;

            d.flags = d.next;
            d.next = swapped | ring_flags(number() % 2);
        }
        memcpy(guest_at(&guest, table + 16 * i, 16), &d, 16);
    }
}

/* What requests begin with: block headers, control messages, network headers. */
static void scribble_area(void)
{
    uint8_t *bytes = guest_at(&guest, AREA, SIDES);

    for (unsigned i = 0; i < 400; i++) {
        uint64_t value = number() % 3 ? number() % 16 : edge();

        memcpy(bytes + number() % (SIDES - 8), &value, 1u << number() % 4);
    }
    scribble_table(AREA + number() % SIDES / 2, 32);
}

static void scribble_ring(struct ring *ring)
{
    uint16_t step = (uint16_t)(number() % 16 == 0 ? edge() : 1 + number() % 4);

    scribble_table(ring->setup.descriptors, RING);
    if (ring->packed) {
        struct vring_packed_desc_event *event = ring_event(ring, ring->setup.driver);

        event->flags = (uint16_t)(number() % 5);
        event->off_wrap = (uint16_t)number();
        return;
    }
    for (unsigned i = 0; i < RING; i++)
        ring_avail(ring)->ring[i] = (uint16_t)(number() % 32 ? number() % RING : edge());
    ring_avail(ring)->idx = (uint16_t)(ring_avail(ring)->idx + step);
    ring_avail(ring)->flags = (uint16_t)(number() % 2);
    ring_avail(ring)->ring[RING] = (uint16_t)number();
}

static void poke_back_end(struct virtio_device *d)
{
    static uint8_t bytes[3000];
    static const struct virtio_net_hdr_v1 header;
    size_t size = number() % sizeof bytes;

    if (d == &console.device) {
        virtio_console_receive(&console, number() % 2, bytes, size % 100);
        virtio_console_set_open(&console, 1, number() % 2);
    } else if (d == &net.device) {
        net.backend->receiver.receive(&net, &header, bytes, size);
    } else if (d == &balloon.device) {
        virtio_balloon_ask(&balloon);
    }
}

/* A request of the right shape with numbers that need not be right. */
static void almost_legal(struct virtio_device *d, unsigned queue)
{
    static const uint32_t first[] = {0, 1, 4, 8, 11, 13, 2, 7};
    uint32_t words[4] = {first[number() % ARRAY_SIZE(first)], (uint32_t)(number() % 8),
                         (uint32_t)(number() % 3 ? number() % 80 : edge()),
                         (uint32_t)(number() % 8 ? 0 : edge())};
    bool writable = number() % 2;
    uint32_t size = number() % 4 ? 512 * (uint32_t)(number() % 4) : number() % 40;
    struct piece pieces[] = {{AREA, d == &console.device ? 8 : 16, false},
                             {AREA + 0x1000, size, writable},
                             {AREA + 0x8000, 1, true}};
    uint16_t id;
    uint32_t written;

    if (number() % 2) /* a console's event and value, a network's class and command */
        words[1] = (uint32_t)(number() % 8 | (number() % 2) << 16);
    memcpy(guest_at(&guest, AREA, 16), words, 16);
    memcpy(guest_at(&guest, AREA + 0x1000, 16), words, 16);
    if (ring_add(&guest.rings[queue], pieces, d == &console.device ? 1 : 3, number() % 2) < 0)
        return;
    ring_publish(&guest.rings[queue]);
    virtio_device_notify(d, queue);
    ring_take(&guest.rings[queue], &id, &written);
}

static void attack(struct virtio_device *d)
{
    /* Without some features; those that others depend on only where none do. */
    uint64_t optional = VIRTQUEUE_FEATURES | VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF) |
                        (d == &net.device ? 0 : UINT32_MAX);

    guest_drive(&guest, d, UINT64_MAX & ~(number() % 2 ? number() & optional : 0), RING);
    for (unsigned i = 0; i < 12 && d->accepted & VIRTIO_FEATURE(VIRTIO_RING_F_INDIRECT_DESC); i++)
        almost_legal(d, (unsigned)(number() % d->queue_count));
    for (unsigned i = 0; i < 12 && virtio_device_live(d); i++) {
        unsigned queue = (unsigned)(number() % d->queue_count);

        scribble_area();
        scribble_ring(&guest.rings[queue]);
        virtio_device_notify(d, queue);
        poke_back_end(d);
        virtio_device_config_write(d, number() % 64, 1u << number() % 4, number());
        virtio_device_config_read(d, number() % 64, 1u << number() % 4);
        if (number() % 16 == 0)
            virtio_device_reset_queue(d, (uint32_t)(number() % (d->queue_count + 1)));
        if (number() % 16 == 0)
            virtio_device_set_status(d, (uint8_t)(1 + number() % 255));
    }
}

/* After all that: a reset, and a buffer on a queue from the guest comes back. */
static void expect_service(struct virtio_device *d, unsigned queue)
{
    struct piece pieces[] = {{AREA, 16, false}, {AREA + 64, 16, true}};

    guest_drive(&guest, d, UINT64_MAX, RING);
    memset(guest_at(&guest, AREA, 16), 0, 16);
    if (guest_call(&guest, queue, pieces, 2) < 0)
        ck_abort_msg("after a reset queue %u of device %u is not served", queue, d->class->id);
}

static unsigned rounds(void)
{
    const char *text = getenv("RING_ROUNDS");

    return text ? (unsigned)strtoul(text, NULL, 0) : 3000;
}

static void run(struct virtio_device *d, unsigned queue)
{
    const char *text = getenv("RING_SEED");

    seed = text ? strtoull(text, NULL, 0) : 88172645463325252u + queue;
    for (unsigned i = 0, count = rounds(); i < count; i++) {
        attack(d);
        if (i % 16 == 0)
            expect_service(d, queue);
    }
    virtio_device_set_status(d, 0);
}

START_TEST(entropy_survives)
{
    virtio_rng_init(&rng, &guest.memory, entropy_host());
    run(&rng.device, 0);
}
END_TEST

/* A disk in memory, whose requests it leaves to the next moment half of the time. */
static uint8_t medium[64 * 512];
static struct disk_request *late[VIRTIO_BLK_QUEUE_SIZE];
static unsigned late_count;

static int carry_out(const struct disk_request *r)
{
    uint64_t at = r->offset;

    holds(fits(r->offset, r->operation == DISK_FLUSH ? 0 : r->size, sizeof medium));
    for (unsigned i = 0; r->operation <= DISK_WRITE && i < r->iov_count; i++) {
        if (r->operation == DISK_READ)
            memcpy(r->iov[i].iov_base, medium + at, r->iov[i].iov_len);
        else
            memcpy(medium + at, r->iov[i].iov_base, r->iov[i].iov_len);
        at += r->iov[i].iov_len;
    }
    return number() % 8 ? 0 : -5;
}

static int disk_submit(void *self, struct disk_request *r)
{
    (void)self;
    if (number() % 2 || late_count == ARRAY_SIZE(late))
        return carry_out(r);
    late[late_count++] = r;
    return -EINPROGRESS;
}

static void disk_complete(void *self, bool wait)
{
    (void)self;
    do {
        unsigned count = late_count;
        struct disk_request *now[ARRAY_SIZE(late)];

        memcpy(now, late, sizeof now);
        late_count = 0;
        for (unsigned i = 0; i < count; i++)
            now[i]->done(now[i]->self, carry_out(now[i]));
    } while (wait && late_count > 0);
}

START_TEST(block_survives)
{
    struct disk disk = {.size = sizeof medium,
                        .can_discard = true,
                        .block_size = 4096,
                        .submit = disk_submit,
                        .complete = disk_complete,
                        .ready_fd = -1};

    late_count = 0;
    virtio_blk_init(&blk, &guest.memory, &disk, "hostile", 1);
    seed = 4711;
    for (unsigned i = 0, count = rounds(); i < count; i++) {
        struct piece pieces[] = {{AREA, 16, false}, {AREA + 64, 513, true}};

        attack(&blk.device);
        if (number() % 2)
            virtio_blk_complete(&blk);
        if (i % 16)
            continue;
        guest_drive(&guest, &blk.device, UINT64_MAX, RING);
        memset(guest_at(&guest, AREA, 16), 0, 16);
        guest_send(&guest, 0, pieces, 2);
        virtio_blk_complete(&blk);
        holds(guest_receive(&guest, 0) > 0);
    }
    virtio_blk_free(&blk);
}
END_TEST

START_TEST(scsi_survives)
{
    struct disk disk = {.size = sizeof medium,
                        .can_discard = true,
                        .block_size = 4096,
                        .submit = disk_submit,
                        .complete = disk_complete,
                        .ready_fd = -1};
    struct scsi_unit unit;

    late_count = 0;
    virtio_scsi_init(&scsi, &guest.memory, 2);
    scsi_disk_init(&unit, &disk, "hostile");
    scsi_bus_add(&scsi.bus, 0, 0, &unit);
    seed = 4712;
    for (unsigned i = 0, count = rounds(); i < count; i++) {
        struct piece pieces[] = {{AREA, 51, false}, {AREA + 64, 108, true}};

        attack(&scsi.device);
        if (number() % 2)
            virtio_scsi_complete(&scsi);
        if (i % 16)
            continue;
        guest_drive(&guest, &scsi.device, UINT64_MAX, RING);
        memset(guest_at(&guest, AREA, 51), 0, 51);
        guest_send(&guest, VIRTIO_SCSI_REQUESTS, pieces, 2);
        holds(guest_receive(&guest, VIRTIO_SCSI_REQUESTS) == 108);
    }
    virtio_scsi_free(&scsi);
}
END_TEST

static size_t swallow(void *self, const uint8_t *bytes, size_t count)
{
    volatile uint8_t sum = 0;

    (void)self;
    for (size_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + bytes[i]); /* every byte can be read */
    return count > 4 && number() % 4 == 0 ? count - 3 : count;
}

START_TEST(console_survives)
{
    virtio_console_init(&console, &guest.memory, 80, 24);
    virtio_console_add_port(&console, NULL, (struct byte_sink){swallow, NULL}, NULL, NULL);
    virtio_console_add_port(&console, "agent", (struct byte_sink){swallow, NULL}, NULL, NULL);
    run(&console.device, 3);
}
END_TEST

static void take_frame(void *self, unsigned pair, const struct virtio_net_hdr_v1 *header,
                       const struct iovec *iov, unsigned count)
{
    size_t size = 0;

    (void)self, (void)pair;
    for (unsigned i = 0; i < count; i++) {
        swallow(NULL, iov[i].iov_base, iov[i].iov_len);
        size += iov[i].iov_len;
    }
    holds(size >= NET_FRAME_MIN && size <= NET_FRAME_MAX);
    if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        holds((size_t)header->csum_start + header->csum_offset + 2 <= size);
    if (header->gso_type)
        holds(header->gso_size > 0 && header->hdr_len <= size);
}

START_TEST(net_survives)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3};
    struct net_backend backend = {.offloads = UINT64_MAX, .send = take_frame};

    virtio_net_init(&net, &guest.memory, &backend, mac, 2);
    run(&net.device, 1);
}
END_TEST

static void release(void *self, uint8_t *host, uint64_t size)
{
    const struct guest_region *ram = &guest.memory.regions[0];

    (void)self;
    holds(host >= ram->host && fits((uint64_t)(host - ram->host), size, ram->size));
}

START_TEST(balloon_survives)
{
    virtio_balloon_init(&balloon, &guest.memory, (struct page_release){release, NULL});
    run(&balloon.device, 0);
}
END_TEST

static void power_up(void)
{
    guest_ram(&guest);
}

static void done(void)
{
    guest_memory_free(&guest.memory);
}

static Suite *hostile_suite(void)
{
    Suite *suite = suite_create("hostile drivers");
    TCase *tests = tcase_create("devices");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_set_timeout(tests, getenv("RING_ROUNDS") ? 0 : 120);
    tcase_add_test(tests, entropy_survives);
    tcase_add_test(tests, block_survives);
    tcase_add_test(tests, scsi_survives);
    tcase_add_test(tests, console_survives);
    tcase_add_test(tests, net_survives);
    tcase_add_test(tests, balloon_survives);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(hostile_suite());
}
