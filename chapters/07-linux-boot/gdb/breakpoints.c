/*
 * breakpoints.c: see breakpoints.h. Open at hand: [SDM3, 17.2 "Debug Registers"].
 *
 *     DR7   31 30 29 28 | 27..16         | 15..10 | 9  | 8  | 7  6 | 5  4 | 3  2 | 1  0
 *           LEN3  RW3   | LEN, RW 2 .. 0 |        | GE | LE | G3 L3| G2 L2| G1 L1| G0 L0
 *
 *     RW    00 execution, 01 writes, 11 reads and writes
 *     LEN   00 one byte, 01 two, 11 four, 10 eight; aligned; 00 for execution
 */
#include "07-linux-boot/gdb/breakpoints.h"

#include <string.h>

#include "common/bits.h"

#define INT3           0xcc
#define DR7_GE         0x200u
#define DR7_G(n)       (2u << 2 * (n))
#define DR7_RW(n, rw)  ((uint64_t)(rw) << (16 + 4 * (n)))
#define DR7_LEN(n, l)  ((uint64_t)(l) << (18 + 4 * (n)))
#define DR7_RW_EXECUTE 0u
#define DR7_RW_WRITE   1u
#define DR7_RW_ACCESS  3u

/* ---- memory ---- */

bool debug_translate(const struct guest_memory *memory, const struct paging *paging,
                     uint64_t address, gpa_t *at)
{
    struct paging ours = *paging;
    struct walk found;

    ours.cr4 &= ~(uint64_t)CR4_SMAP; /* a debugger may look at user pages */
    found = walk(memory, &ours, address, WALK_READ);
    *at = found.gpa;
    return found.status == WALK_OK;
}

/* The host's view of as much of [address, address + count) as is on one page; or NULL. */
static uint8_t *piece(const struct guest_memory *memory, const struct paging *paging,
                      uint64_t address, uint64_t count, uint64_t *length, gpa_t *at)
{
    uint64_t left = GUEST_PAGE_SIZE - address % GUEST_PAGE_SIZE;

    *length = count < left ? count : left;
    return debug_translate(memory, paging, address, at) ? guest_ptr(memory, *at, *length) : NULL;
}

/* Up to the end of the address space; addresses do not begin again at 0. */
static uint64_t clamp(uint64_t address, uint64_t count)
{
    uint64_t last = UINT64_MAX - address;

    return count <= last ? count : last;
}

uint64_t debug_read(struct breakpoints *b, const struct guest_memory *memory,
                    const struct paging *paging, uint64_t address, uint8_t *bytes, uint64_t count)
{
    uint64_t done = 0, length;
    gpa_t at;

    for (count = clamp(address, count); done < count; done += length) {
        const uint8_t *host = piece(memory, paging, address + done, count - done, &length, &at);

        if (!host)
            break;
        memcpy(bytes + done, host, length);
        for (unsigned i = 0; i < b->count; i++)
            if (b->list[i].at >= at && b->list[i].at - at < length &&
                bytes[done + (b->list[i].at - at)] == INT3)
                bytes[done + (b->list[i].at - at)] = b->list[i].original;
    }
    return done;
}

uint64_t debug_write(struct breakpoints *b, const struct guest_memory *memory,
                     const struct paging *paging, uint64_t address, const uint8_t *bytes,
                     uint64_t count)
{
    uint64_t done = 0, length;
    gpa_t at;

    for (count = clamp(address, count); done < count; done += length) {
        uint8_t *host = piece(memory, paging, address + done, count - done, &length, &at);

        if (!host)
            break;
        memcpy(host, bytes + done, length);
        for (unsigned i = 0; i < b->count; i++)
            if (b->list[i].at >= at && b->list[i].at - at < length) {
                b->list[i].original = host[b->list[i].at - at];
                host[b->list[i].at - at] = INT3;
            }
    }
    return done;
}

/* ---- int3 ---- */

struct int3 *breakpoint_at(struct breakpoints *b, gpa_t at)
{
    for (unsigned i = 0; i < b->count; i++)
        if (b->list[i].at == at)
            return &b->list[i];
    return NULL;
}

/* [set-int3] */
static bool set_int3(struct breakpoints *b, const struct guest_memory *memory,
                     const struct paging *paging, uint64_t address)
{
    uint8_t *byte;
    gpa_t at;

    if (!debug_translate(memory, paging, address, &at))
        return false;
    if (breakpoint_at(b, at))
        return true;
    byte = guest_ptr(memory, at, 1);
    if (!byte || b->count == BREAKPOINTS_MAX)
        return false;
    b->list[b->count++] = (struct int3){.address = address, .at = at, .original = *byte};
    *byte = INT3;
    return true;
}
/* [/set-int3] */

/* What the guest has written there since is its own. */
static void restore(const struct int3 *bp, const struct guest_memory *memory)
{
    uint8_t *byte = guest_ptr(memory, bp->at, 1);

    if (byte && *byte == INT3)
        *byte = bp->original;
}

static void remove_int3(struct breakpoints *b, const struct guest_memory *memory, uint64_t address)
{
    for (unsigned i = 0; i < b->count; i++)
        if (b->list[i].address == address) {
            restore(&b->list[i], memory);
            b->list[i] = b->list[--b->count];
            return;
        }
}

/* ---- debug registers ---- */

static bool same(const struct debug_register *r, enum breakpoint_kind kind, uint64_t address,
                 uint64_t length)
{
    return r->used && r->kind == kind && r->address == address && r->length == length;
}

static bool set_register(struct breakpoints *b, enum breakpoint_kind kind, uint64_t address,
                         uint64_t length)
{
    struct debug_register *vacant = NULL;

    if ((length != 1 && length != 2 && length != 4 && length != 8) || address % length != 0 ||
        (kind <= BREAK_HARDWARE && length != 1))
        return false;
    for (unsigned i = 0; i < DEBUG_REGISTERS; i++) {
        if (same(&b->registers[i], kind, address, length))
            return true;
        if (!b->registers[i].used && !vacant)
            vacant = &b->registers[i];
    }
    if (!vacant)
        return false;
    *vacant = (struct debug_register){true, kind, address, (unsigned)length};
    return true;
}

static uint64_t dr7_of(const struct debug_register *r, unsigned n)
{
    static const uint8_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    unsigned rw = r->kind <= BREAK_HARDWARE ? DR7_RW_EXECUTE
                  : r->kind == WATCH_WRITE  ? DR7_RW_WRITE
                                            : DR7_RW_ACCESS;

    return DR7_G(n) | DR7_RW(n, rw) | DR7_LEN(n, lengths[r->length]);
}

void breakpoints_arm(const struct breakpoints *b, struct kvm_guest_debug *debug)
{
    uint64_t dr7 = 0;

    for (unsigned i = 0; i < DEBUG_REGISTERS; i++)
        if (b->registers[i].used) {
            debug->arch.debugreg[i] = b->registers[i].address;
            dr7 |= dr7_of(&b->registers[i], i);
        }
    if (dr7) {
        debug->control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
        debug->arch.debugreg[7] = dr7 | DR7_GE;
    }
    if (b->count > 0)
        debug->control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
}

/* ---- both ---- */

bool breakpoint_set(struct breakpoints *b, const struct guest_memory *memory,
                    const struct paging *paging, enum breakpoint_kind kind, uint64_t address,
                    uint64_t length)
{
    if (b->means == BREAKPOINTS_NONE || (b->means == BREAKPOINTS_OF_CODE && kind > BREAK_HARDWARE))
        return false;
    if (kind == BREAK_SOFTWARE && b->means == BREAKPOINTS_ALL)
        return length == 1 && set_int3(b, memory, paging, address);
    return set_register(b, kind, address, length);
}

void breakpoint_remove(struct breakpoints *b, const struct guest_memory *memory,
                       enum breakpoint_kind kind, uint64_t address, uint64_t length)
{
    if (kind == BREAK_SOFTWARE && b->means == BREAKPOINTS_ALL)
        remove_int3(b, memory, address);
    for (unsigned i = 0; i < DEBUG_REGISTERS; i++)
        if (same(&b->registers[i], kind, address, length))
            b->registers[i].used = false;
}

void breakpoints_clear(struct breakpoints *b, const struct guest_memory *memory)
{
    while (b->count > 0)
        restore(&b->list[--b->count], memory);
    memset(b->registers, 0, sizeof b->registers);
}
