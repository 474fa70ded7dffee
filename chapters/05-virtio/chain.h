/*
 * chain.h: one buffer that a driver lent to a device.
 *
 * A driver describes a buffer by a chain of descriptors: pieces of guest memory, first
 * those the device reads, then those it writes. A ring (virtqueue.h) checks each piece
 * once and turns it into a struct iovec, so that a back end can hand the guest's pages
 * to readv() and writev() as they are, and no byte is copied on the way.
 *
 *     descriptors in guest memory                chain.iov
 *     addr 0x1000 len  16         ----------->   [0] 16 bytes    \ readable = 1
 *     addr 0x8000 len 512  WRITE  ----------->   [1] 512 bytes   \ writable = 2
 *     addr 0x1010 len   1  WRITE  ----------->   [2] 1 byte      /
 *
 * Where one piece ends and the next begins says nothing: a device sees two strings of
 * bytes. [VIRTIO, 2.7.4 "Message Framing"] The functions below speak of them by offset.
 *
 * The bytes stay the guest's, which may change them at any time. What must not change
 * between the check and the use is copied first, with chain_read().
 */
#ifndef CHAPTER_05_CHAIN_H
#define CHAPTER_05_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "01-kvm-hello/memory.h"

/*
 * The most pieces of a chain, which is also the size of our largest ring: enough for the
 * 1280 KiB that Linux asks a disk for at once, if no two of its pages are neighbours.
 */
#ifndef CHAIN_MAX /* a proof takes a smaller one */
#define CHAIN_MAX 512u
#endif

struct chain {
    uint16_t id;            /* what the driver knows it by: a head, or a buffer id */
    uint16_t slots;         /* how many places of a packed ring it fills */
    unsigned readable;      /* iov[0 .. readable) */
    unsigned writable;      /* iov[readable .. readable + writable) */
    uint64_t readable_size; /* bytes */
    uint64_t writable_size;
    struct iovec iov[CHAIN_MAX];
};

/* Empties the chain; the iovecs are not touched. */
void chain_init(struct chain *chain, uint16_t id);

/* Copies a chain, but not the iovecs that it does not use. */
void chain_copy(struct chain *to, const struct chain *from);

/*
 * Adds one piece. NULL, or why it can't be: outside RAM, read-only memory to be
 * written, a readable piece after a writable one, more than CHAIN_MAX pieces. A piece
 * of length 0 is legal and leaves no iovec.
 */
const char *chain_add(struct chain *chain, const struct guest_memory *memory, gpa_t address,
                      uint32_t length, bool writable);

/* Copies up to size readable bytes from offset on; how many there were. */
size_t chain_read(const struct chain *chain, uint64_t offset, void *to, size_t size);

/* Copies up to size bytes into the writable part from offset on; how many fitted. */
size_t chain_write(const struct chain *chain, uint64_t offset, const void *from, size_t size);

/*
 * The iovecs of [offset, offset + size) of the readable or of the writable part, in
 * slice[0 .. the result). The range must lie within the part.
 */
unsigned chain_readable(const struct chain *chain, uint64_t offset, uint64_t size,
                        struct iovec slice[CHAIN_MAX]);
unsigned chain_writable(const struct chain *chain, uint64_t offset, uint64_t size,
                        struct iovec slice[CHAIN_MAX]);

#endif
