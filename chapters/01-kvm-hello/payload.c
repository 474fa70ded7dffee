/* payload.c: see payload.h. */
#include "01-kvm-hello/payload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/die.h"
#include "common/file.h"

/* [load] */
void payload_load(const struct guest_memory *memory, gpa_t start, uint64_t room, const char *path,
                  const uint8_t *builtin, size_t size)
{
    void *to = guest_ptr(memory, start, room);
    struct refusal why;
    uint8_t *bytes;

    assert(to && size <= room);
    if (!path) {
        memcpy(to, builtin, size);
        return;
    }
    if (file_read_all(path, room, &bytes, &size, &why) < 0)
        die("payload %s: %s", path, why.text);
    if (size == 0)
        die("payload %s: empty; assemble one with 'nasm -f bin -o %s FILE.asm'", path, path);
    memcpy(to, bytes, size);
    free(bytes);
}
/* [/load] */
