/*
 * scsi_guest.h: what the SCSI tests share: disks in memory that can be told to fail or to
 * take their time, and a driver that sends commands and looks at what comes back.
 *
 *     a = scsi_call(0, CDB(0x28, 0, 0, 0, 0, 3, 0, 0, 2, 0), 0, 1024);
 *     ck_assert_uint_eq(a.sense, SENSE_NONE);
 */
#ifndef TESTS_05_SCSI_GUEST_H
#define TESTS_05_SCSI_GUEST_H

#include <errno.h>

#include "05-virtio/scsi_cdrom.h"
#include "05-virtio/scsi_disk.h"
#include "05-virtio/virtio_scsi.h"
#include "guest.h"

#define CDB(...)                                                                                   \
    (const uint8_t[16])                                                                            \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* Guest memory: the parts of one request. */
#define REQUEST  GUEST_FREE
#define RESPONSE (GUEST_FREE + 0x1000)
#define DATA_OUT (GUEST_FREE + 0x10000)
#define DATA_IN  (GUEST_FREE + 0x200000)
#define UNSET    0x77

/* A header of 19 bytes and a CDB of 32; a response of 12 and sense data of 96. */
#define REQUEST_SIZE  51u
#define RESPONSE_SIZE 108u

static struct guest guest;
static struct virtio_scsi scsi;

/* ---- a disk in memory ----------------------------------------------------------- */

struct medium {
    struct disk disk;
    uint8_t bytes[512 * 1024];
    struct disk_request *waiting[300];
    unsigned waiting_count, submitted, commits, flushes;
    uint64_t discarded, zeroed; /* bytes */
    uint64_t unmapped;          /* bytes zeroed whose room may be given back */
    int failure;                /* what every request ends with */
    bool slow;                  /* requests wait until medium_finish() */
    bool finished;
};

static inline int medium_carry_out(struct medium *m, const struct disk_request *r)
{
    uint64_t at = r->offset;

    if (r->operation == DISK_FLUSH) {
        m->flushes++;
        return m->failure;
    }
    holds(fits(r->offset, r->size, m->disk.size));
    holds(r->operation == DISK_READ || !m->disk.read_only);
    for (unsigned i = 0; r->operation <= DISK_WRITE && i < r->iov_count; i++) {
        if (m->failure)
            break;
        if (r->operation == DISK_READ)
            memcpy(r->iov[i].iov_base, m->bytes + at, r->iov[i].iov_len);
        else
            memcpy(m->bytes + at, r->iov[i].iov_base, r->iov[i].iov_len);
        at += r->iov[i].iov_len;
    }
    holds(r->operation > DISK_WRITE || m->failure || at == r->offset + r->size);
    if (r->operation == DISK_DISCARD) {
        if (fits(r->offset, r->size, sizeof m->bytes)) /* a medium may claim to be larger */
            memset(m->bytes + r->offset, 0xdd, r->size);
        m->discarded += r->size;
    }
    if (r->operation == DISK_ZERO) {
        memset(m->bytes + r->offset, 0, r->size);
        m->zeroed += r->size;
        m->unmapped += r->unmap ? r->size : 0;
    }
    return m->failure;
}

static inline int medium_submit(void *self, struct disk_request *r)
{
    struct medium *m = self;

    m->submitted++;
    if (!m->slow)
        return medium_carry_out(m, r);
    holds(m->waiting_count < ARRAY_SIZE(m->waiting));
    m->waiting[m->waiting_count++] = r;
    return -EINPROGRESS;
}

static inline void medium_commit(void *self)
{
    ((struct medium *)self)->commits++;
}

static inline void medium_complete(void *self, bool wait)
{
    struct medium *m = self;

    if (!wait && !m->finished)
        return;
    do {
        struct disk_request *now[ARRAY_SIZE(m->waiting)];
        unsigned count = m->waiting_count;

        memcpy(now, m->waiting, sizeof now);
        m->waiting_count = 0;
        for (unsigned i = count; i-- > 0;) /* last come, first served */
            now[i]->done(now[i]->self, medium_carry_out(m, now[i]));
    } while (wait && m->waiting_count > 0);
}

/* Byte n of block k is known: see medium_expects(). */
static inline void medium_init(struct medium *m, uint64_t size, bool read_only)
{
    memset(m, 0, sizeof *m);
    m->disk = (struct disk){.size = size,
                            .read_only = read_only,
                            .can_discard = !read_only,
                            .block_size = 4096,
                            .submit = medium_submit,
                            .commit = medium_commit,
                            .complete = medium_complete,
                            .ready_fd = -1,
                            .self = m};
    for (unsigned i = 0; i < sizeof m->bytes; i++)
        m->bytes[i] = (uint8_t)(i / 512 * 3 + i);
}

/* ---- the driver ----------------------------------------------------------------- */

struct answer {
    int64_t written; /* -1: it has not come back */
    uint8_t response, status;
    uint32_t residual, sense_size;
    uint32_t sense; /* as in enum scsi_sense; of the first 18 bytes */
};

static inline uint8_t *data_in(void)
{
    return guest_at(&guest, DATA_IN, 0x100000);
}

static inline uint8_t *data_out(void)
{
    return guest_at(&guest, DATA_OUT, 0x100000);
}

static inline void put_request(const uint8_t lun[8], const uint8_t cdb[16], uint64_t tag)
{
    struct virtio_scsi_cmd_req request = {.tag = tag};

    memcpy(request.lun, lun, 8);
    memcpy(request.cdb, cdb, 16);
    memcpy(guest_at(&guest, REQUEST, sizeof request), &request, sizeof request);
    memset(guest_at(&guest, RESPONSE, RESPONSE_SIZE), UNSET, RESPONSE_SIZE);
}

static inline struct answer get_answer(int64_t written)
{
    const struct virtio_scsi_cmd_resp *r = guest_at(&guest, RESPONSE, RESPONSE_SIZE);

    return (struct answer){
        .written = written,
        .response = r->response,
        .status = r->status,
        .residual = r->resid,
        .sense_size = r->sense_len,
        .sense = (uint32_t)(r->sense[2] << 16 | r->sense[12] << 8 | r->sense[13]),
    };
}

static inline struct answer scsi_call_lun(const uint8_t lun[8], const uint8_t cdb[16],
                                          uint32_t out_size, uint32_t in_size)
{
    struct piece pieces[] = {{REQUEST, REQUEST_SIZE, false},
                             {DATA_OUT, out_size, false},
                             {RESPONSE, RESPONSE_SIZE, true},
                             {DATA_IN, in_size, true}};

    put_request(lun, cdb, 1);
    return get_answer(guest_call(&guest, VIRTIO_SCSI_REQUESTS, pieces, 4));
}

static inline struct answer scsi_call(unsigned target, const uint8_t cdb[16], uint32_t out_size,
                                      uint32_t in_size)
{
    const uint8_t lun[8] = {1, (uint8_t)target, 0x40, 0};

    return scsi_call_lun(lun, cdb, out_size, in_size);
}

/* The guest's RAM, a host with nothing on it, and no medium. */
static inline void scsi_power_up(void)
{
    guest_ram(&guest);
    virtio_scsi_init(&scsi, &guest.memory, 2);
}

/* A driver; each unit's first unit attention has been told. */
static inline void scsi_drive(void)
{
    guest_drive(&guest, &scsi.device, UINT64_MAX, 64);
    for (unsigned i = 0; i < scsi.bus.count; i++)
        scsi.bus.places[i].unit->attention = SENSE_NONE;
}

static inline void scsi_done(void)
{
    virtio_scsi_free(&scsi);
    guest_memory_free(&guest.memory);
}

/* A slow disk has finished what it was asked for. */
static inline void medium_finish(struct medium *m)
{
    m->finished = true;
    virtio_scsi_complete(&scsi);
    m->finished = false;
}

/* The command ended well, and moved so many bytes of size. */
#define expect_good(a, moved, size)                                                                \
    do {                                                                                           \
        struct answer got = (a);                                                                   \
        ck_assert_uint_eq(got.response, VIRTIO_SCSI_S_OK);                                         \
        ck_assert_uint_eq(got.sense, SENSE_NONE);                                                  \
        ck_assert_uint_eq(got.status, SCSI_GOOD);                                                  \
        ck_assert_uint_eq(got.residual, (size) - (moved));                                         \
    } while (0)

#define expect_sense(a, why)                                                                       \
    do {                                                                                           \
        struct answer got = (a);                                                                   \
        ck_assert_uint_eq(got.response, VIRTIO_SCSI_S_OK);                                         \
        ck_assert_uint_eq(got.status, SCSI_CHECK_CONDITION);                                       \
        ck_assert_uint_eq(got.sense, (why));                                                       \
        ck_assert_uint_eq(got.sense_size, 18);                                                     \
        ck_assert_int_eq(got.written, RESPONSE_SIZE);                                              \
    } while (0)

#endif
