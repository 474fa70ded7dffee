/*
 * file_ring.c: see file_ring.h. Open at hand: io_uring(7), io_uring_enter(2).
 *
 * Some transfers end early: a kernel that has no more memory, a file that has shrunk, a
 * signal. Rare as they are, they are done again from their start, by pread() or pwrite(),
 * which say exactly what is wrong.
 *
 * A ring could also open files and connect sockets, and the kernel would do it behind the
 * back of every filter of system calls. So it is told, once and for all, to read, write and
 * flush only; a kernel that cannot be told so (before 5.10) has no ring for us.
 *
 * Left out on purpose: registered files and buffers; a kernel thread that polls the ring
 * (IORING_SETUP_SQPOLL), which would burn a processor for each disk.
 */
#include "05-virtio/file_ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "05-virtio/raw_disk.h"
#include "common/bits.h"
#include "common/die.h"

/* liburing 2.3 declares functions for both of these, and has neither. */
static long tell(const struct io_uring *ring, unsigned what, const void *rules, unsigned count)
{
    return syscall(SYS_io_uring_register, ring->ring_fd, what, rules, count);
}

/* Until it is enabled the ring takes no requests, only rules. [man io_uring_register(2)] */
static int restrict_ring(struct io_uring *ring)
{
    struct io_uring_restriction allowed[] = {
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV},
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV},
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FSYNC},
    };

    if (tell(ring, IORING_REGISTER_RESTRICTIONS, allowed, ARRAY_SIZE(allowed)) < 0 ||
        tell(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
        return -errno;
    return 0;
}

int file_ring_open(struct file_ring *r, unsigned entries)
{
    int error = io_uring_queue_init(entries, &r->ring, IORING_SETUP_R_DISABLED);

    r->in_flight = 0;
    r->limit = entries;
    if (error < 0)
        return error;
    error = restrict_ring(&r->ring);
    if (error < 0)
        io_uring_queue_exit(&r->ring);
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
