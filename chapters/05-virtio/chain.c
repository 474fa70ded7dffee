/*
 * chain.c: see chain.h.
 *
 * Everything here is bounded by CHAIN_MAX, whatever lengths the guest wrote: the sum
 * of CHAIN_MAX lengths of 32 bits fits a uint64_t, and nothing is allocated.
 */
#include "05-virtio/chain.h"

#include <string.h>

void chain_init(struct chain *chain, uint16_t id)
{
    chain->id = id;
    chain->slots = 0;
    chain->readable = chain->writable = 0;
    chain->readable_size = chain->writable_size = 0;
}

void chain_copy(struct chain *to, const struct chain *from)
{
    unsigned used = from->readable + from->writable;

    memcpy(to, from, offsetof(struct chain, iov) + used * sizeof from->iov[0]);
}

/* [chain-add] */
const char *chain_add(struct chain *chain, const struct guest_memory *memory, gpa_t address,
                      uint32_t length, bool writable)
{
    unsigned used = chain->readable + chain->writable;
    void *host;

    /* [VIRTIO, 2.7.4.2 "Driver Requirements: Message Framing"] */
    if (!writable && chain->writable > 0)
        return "a device-readable descriptor follows a device-writable one";
    if (length == 0)
        return NULL;
    if (used == CHAIN_MAX)
        return "more descriptors than a chain can have";

    host = writable ? guest_ptr_to_write(memory, address, length)
                    : guest_ptr(memory, address, length);
    if (!host)
        return "a descriptor points outside the memory it may use";

    chain->iov[used] = (struct iovec){.iov_base = host, .iov_len = length};
    if (writable) {
        chain->writable++;
        chain->writable_size += length;
    } else {
        chain->readable++;
        chain->readable_size += length;
    }
    return NULL;
}
/* [/chain-add] */

/* The part of iov[0 .. count) that lies in [offset, offset + size). */
static unsigned slice_iov(const struct iovec *iov, unsigned count, uint64_t offset, uint64_t size,
                          struct iovec slice[CHAIN_MAX])
{
    unsigned made = 0;

    for (unsigned i = 0; i < count && size > 0; i++) {
        uint64_t length = iov[i].iov_len;

        if (offset >= length) {
            offset -= length;
            continue;
        }
        length -= offset;
        if (length > size)
            length = size;
        slice[made++] = (struct iovec){(uint8_t *)iov[i].iov_base + offset, length};
        size -= length;
        offset = 0;
    }
    return made;
}

unsigned chain_readable(const struct chain *chain, uint64_t offset, uint64_t size,
                        struct iovec slice[CHAIN_MAX])
{
    return slice_iov(chain->iov, chain->readable, offset, size, slice);
}

unsigned chain_writable(const struct chain *chain, uint64_t offset, uint64_t size,
                        struct iovec slice[CHAIN_MAX])
{
    return slice_iov(chain->iov + chain->readable, chain->writable, offset, size, slice);
}

/*
 * Copies between buffer and the pieces. memmove: two pieces may be the same memory, and
 * then so may a piece and a buffer that a back end lent us.
 */
static size_t copy_iov(const struct iovec *iov, unsigned count, uint64_t offset, uint8_t *buffer,
                       size_t size, bool to_guest)
{
    size_t done = 0;

    for (unsigned i = 0; i < count && done < size; i++) {
        uint64_t length = iov[i].iov_len;
        uint8_t *piece = iov[i].iov_base;

        if (offset >= length) {
            offset -= length;
            continue;
        }
        length -= offset;
        if (length > size - done)
            length = size - done;
        if (to_guest)
            memmove(piece + offset, buffer + done, length);
        else
            memmove(buffer + done, piece + offset, length);
        done += length;
        offset = 0;
    }
    return done;
}

size_t chain_read(const struct chain *chain, uint64_t offset, void *to, size_t size)
{
    return copy_iov(chain->iov, chain->readable, offset, to, size, false);
}

size_t chain_write(const struct chain *chain, uint64_t offset, const void *from, size_t size)
{
    /* The cast only serves copy_iov()'s other direction. */
    return copy_iov(chain->iov + chain->readable, chain->writable, offset, (uint8_t *)from, size,
                    true);
}
