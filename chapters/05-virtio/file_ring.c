/*
 * file_ring.c: see file_ring.h. Open at hand: io_uring(7), io_uring_enter(2).
 *
 * Some transfers end early: a kernel that has no more memory, a file that has shrunk, a
 * signal. Rare as they are, they are done again from their start, by pread() or pwrite(),
 * which say exactly what is wrong.
 *
 * Left out on purpose: registered files and buffers; a kernel thread that polls the ring
 * (IORING_SETUP_SQPOLL), which would burn a processor for each disk.
 */
#include "05-virtio/file_ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "05-virtio/raw_disk.h"
#include "common/die.h"

int file_ring_open(struct file_ring *r, unsigned entries)
{
    int error = io_uring_queue_init(entries, &r->ring, 0);

    r->in_flight = 0;
    r->limit = entries;
    return error;
}

void file_ring_close(struct file_ring *r)
{
    assert(r->in_flight == 0);
    io_uring_queue_exit(&r->ring);
}

int file_ring_start(struct file_ring *r, int fd, struct disk_request *request)
{
    /* As many in flight as there are places: then the kernel's answers have room, too. */
    struct io_uring_sqe *place = r->in_flight < r->limit ? io_uring_get_sqe(&r->ring) : NULL;

    if (!place)
        return -EAGAIN;
    if (request->operation == DISK_FLUSH)
        io_uring_prep_fsync(place, fd, IORING_FSYNC_DATASYNC);
    else if (request->operation == DISK_WRITE)
        io_uring_prep_writev(place, fd, request->iov, request->iov_count, request->offset);
    else
        io_uring_prep_readv(place, fd, request->iov, request->iov_count, request->offset);
    request->fd = fd;
    io_uring_sqe_set_data(place, request);
    r->in_flight++;
    return -EINPROGRESS;
}

void file_ring_commit(struct file_ring *r)
{
    int taken;

    while (io_uring_sq_ready(&r->ring) > 0) {
        taken = io_uring_submit(&r->ring);
        if (taken < 0 && taken != -EINTR && taken != -EAGAIN && taken != -EBUSY)
            die("io_uring_enter failed: %s", strerror(-taken));
    }
}

static int result_of(const struct disk_request *request, int result)
{
    if (request->operation == DISK_FLUSH)
        return result < 0 ? result : 0;
    if (result >= 0 && (uint64_t)result == request->size)
        return 0;
    return file_transfer(request->fd, request->operation == DISK_WRITE, request->offset,
                         request->iov, request->iov_count);
}

void file_ring_complete(struct file_ring *r, bool wait)
{
    struct io_uring_cqe *answer;

    file_ring_commit(r);
    while (r->in_flight > 0) {
        struct disk_request *request;
        int result, error = wait ? io_uring_wait_cqe(&r->ring, &answer)
                                 : io_uring_peek_cqe(&r->ring, &answer);

        if (error == -EINTR)
            continue;
        if (error < 0)
            return; /* nothing has ended */
        request = io_uring_cqe_get_data(answer);
        result = answer->res;
        io_uring_cqe_seen(&r->ring, answer);
        r->in_flight--;
        /* This may start another one: a flush behind a write. */
        request->done(request->self, result_of(request, result));
        file_ring_commit(r);
    }
}

int file_ring_fd(const struct file_ring *r)
{
    return r->ring.ring_fd;
}
