/* fuzz_balloon.c: the balloon; pokes: another target, a question for statistics. */
#include "05-virtio/virtio_balloon.h"
#include "common/bits.h"
#include "fuzz.h"

static struct virtio_balloon balloon;

/* Only whole pages of RAM may be given away. */
static void release(void *self, uint8_t *host, uint64_t size)
{
    const struct guest_region *ram = &((const struct guest_memory *)self)->regions[0];

    must(host >= ram->host && fits((uint64_t)(host - ram->host), size, ram->size));
    must(is_aligned((uint64_t)(host - ram->host) | size, GUEST_PAGE_SIZE) && size > 0);
}

struct virtio_device *target_begin(const struct guest_memory *memory)
{
    /* The cast: self is not const for those who need it not to be. */
    virtio_balloon_init(&balloon, memory, (struct page_release){release, (void *)memory});
    return &balloon.device;
}

void target_poke(void)
{
    if (fuzz_take(1) & 1)
        virtio_balloon_ask(&balloon);
    else
        virtio_balloon_set_target(&balloon, (uint32_t)fuzz_take(4));
}

void target_end(void)
{
}
