/*
 * proof: a chain never has a piece outside guest memory, nor more than CHAIN_MAX
 * bound: CHAIN_MAX is 4 here, memory one region; no other
 * sources: chapters/05-virtio/chain.c chapters/01-kvm-hello/memory.c
 * cbmc: --unwind 2 -DCHAIN_MAX=4u
 *
 * One step, from any chain that the steps before may have left: chain_add() with any
 * address, length and direction. What it proves of the chain after the step it may assume
 * before the next, so it holds for chains of every length.
 */
#include "05-virtio/chain.h"
#include "common/bits.h"
#include "proof.h"

static bool is_sound(const struct chain *chain)
{
    return chain->readable <= CHAIN_MAX && chain->writable <= CHAIN_MAX &&
           chain->readable + chain->writable <= CHAIN_MAX &&
           chain->readable_size <= (uint64_t)chain->readable * UINT32_MAX &&
           chain->writable_size <= (uint64_t)chain->writable * UINT32_MAX;
}

/* [chain-proof] */
int main(void)
{
    struct guest_memory memory = {.count = 1};
    struct guest_region *region = &memory.regions[0];
    struct chain chain;
    uint32_t length = any_u32();
    const char *why;
    unsigned used, writable_before;

    *region = (struct guest_region){any_u64(), any_u64(), NULL, any_bool()};
    assume(region->size > 0 && region->size < BIT(40));
    assume(fits(region->start, region->size, UINT64_MAX));
    region->host = any_memory(region->size);
    assume(is_sound(&chain));
    writable_before = chain.writable;
    used = chain.readable + chain.writable;

    bool write = any_bool();

    why = chain_add(&chain, &memory, any_u64(), length, write);
    prove(is_sound(&chain), "counts and sizes stay within their bounds");
    prove(!why || chain.readable + chain.writable == used, "what is refused adds nothing");
    if (!why && length > 0) {
        const struct iovec *piece = &chain.iov[used];

        prove(chain.readable + chain.writable == used + 1, "one piece more");
        prove(piece->iov_len == length, "as long as it was asked for");
        prove(readable(piece->iov_base, piece->iov_len), "in guest memory");
        prove(!write || !region->read_only, "read-only memory is never lent for writing");
        prove(write || writable_before == 0, "what is read comes first");
    }
}
/* [/chain-proof] */
