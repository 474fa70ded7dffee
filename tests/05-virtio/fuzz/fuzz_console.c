/*
 * fuzz_console.c: the console device with a console and two named ports. Pokes: somebody
 * types, reads on, comes to a port or leaves it, changes the terminal's size.
 */
#include "05-virtio/virtio_console.h"
#include "fuzz.h"

static struct virtio_console console;
static size_t room;

static size_t put(void *self, const uint8_t *bytes, size_t count)
{
    struct iovec all = {(void *)bytes, count < room ? count : room}; /* only read */

    (void)self;
    fuzz_look(&all, 1);
    room -= all.iov_len;
    return all.iov_len;
}

/* The keyboard's owner has more, as soon as there is room. */
static void type_on(void *self)
{
    static const uint8_t key = 'k';

    (void)self;
    virtio_console_receive(&console, 0, &key, 1);
}

struct virtio_device *target_begin(const struct guest_memory *memory)
{
    const struct byte_sink sink = {put, NULL};

    room = SIZE_MAX;
    virtio_console_init(&console, memory, 80, 24);
    virtio_console_add_port(&console, NULL, sink, type_on, NULL);
    virtio_console_add_port(&console, "agent", sink, NULL, NULL);
    virtio_console_add_port(&console, "another", sink, NULL, NULL);
    return &console.device;
}

void target_poke(void)
{
    static const uint8_t keys[300];
    unsigned what = (unsigned)fuzz_take(1), port = what / 8 % 3;

    switch (what % 8) {
    case 0:
    case 1: {
        size_t count = fuzz_take(2) % sizeof keys;

        must(virtio_console_receive(&console, port, keys, count) <= count);
        break;
    }
    case 2: virtio_console_set_open(&console, port, true); break;
    case 3: virtio_console_set_open(&console, port, false); break;
    case 4: virtio_console_resize(&console, (uint16_t)fuzz_take(2), (uint16_t)fuzz_take(2)); break;
    case 5: room = fuzz_take(2); break;
    default: room = SIZE_MAX; virtio_console_drain(&console, port);
    }
}

void target_end(void)
{
}
