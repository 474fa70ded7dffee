/*
 * payload.h: the bytes a guest starts with: the reader's own, or the built-in ones.
 */
#ifndef CHAPTER_01_PAYLOAD_H
#define CHAPTER_01_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "01-kvm-hello/memory.h"

/*
 * Puts the flat binary at path, or the size bytes of builtin if path is NULL, at
 * guest-physical start. The caller has added RAM for room bytes there, and
 * size <= room. Dies if the file cannot be read, is empty, or exceeds room.
 */
void payload_load(const struct guest_memory *memory, gpa_t start, uint64_t room, const char *path,
                  const uint8_t *builtin, size_t size);

#endif
