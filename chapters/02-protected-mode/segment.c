/*
 * segment.c: descriptors in and out of their scattered bits.
 *
 * The layout is from 1985: the 80286 had 24 bits of base and 16 of limit in six
 * bytes, and Intel put the rest of each where there was room. Left out on purpose:
 * gates (the guest kernel writes its own) and the upper half of the 16-byte system
 * descriptors of long mode. Open at hand: [SDM3, 3.4.5 "Segment Descriptors"].
 */
#include "02-protected-mode/segment.h"

#include "02-protected-mode/x86.h"

/* [pack] */
uint64_t segment_pack(const struct kvm_segment *segment)
{
    uint64_t limit = segment->g ? segment->limit >> 12 : segment->limit;

    return bits(limit, 15, 0) |                     /* limit 15..0 */
           bits(segment->base, 23, 0) << 16 |       /* base 23..0 */
           (uint64_t)(segment->type & 0xf) << 40 |  /* what it is */
           (uint64_t)(segment->s & 1) << 44 |       /* code or data, not system */
           (uint64_t)(segment->dpl & 3) << 45 |     /* the ring it belongs to */
           (uint64_t)(segment->present & 1) << 47 | /* */
           bits(limit, 19, 16) << 48 |              /* limit 19..16 */
           (uint64_t)(segment->avl & 1) << 52 |     /* for the system's use */
           (uint64_t)(segment->l & 1) << 53 |       /* 64-bit code */
           (uint64_t)(segment->db & 1) << 54 |      /* 32-bit code or stack */
           (uint64_t)(segment->g & 1) << 55 |       /* limit counts 4 KiB pages */
           bits(segment->base, 31, 24) << 56;       /* base 31..24 */
}
/* [/pack] */

struct kvm_segment segment_unpack(uint16_t selector, uint64_t descriptor)
{
    uint64_t limit = bits(descriptor, 15, 0) | bits(descriptor, 51, 48) << 16;
    bool pages = bits(descriptor, 55, 55);

    return (struct kvm_segment){
        .base = bits(descriptor, 39, 16) | bits(descriptor, 63, 56) << 24,
        .limit = (uint32_t)(pages ? limit << 12 | 0xfff : limit),
        .selector = selector,
        .type = (uint8_t)bits(descriptor, 43, 40),
        .s = (uint8_t)bits(descriptor, 44, 44),
        .dpl = (uint8_t)bits(descriptor, 46, 45),
        .present = (uint8_t)bits(descriptor, 47, 47),
        .avl = (uint8_t)bits(descriptor, 52, 52),
        .l = (uint8_t)bits(descriptor, 53, 53),
        .db = (uint8_t)bits(descriptor, 54, 54),
        .g = (uint8_t)pages,
        .unusable = !bits(descriptor, 47, 47),
    };
}

/* From 0 to 4 GiB, present, already accessed: what VM entry demands of a segment in use. */
static struct kvm_segment flat(uint16_t selector, unsigned ring, unsigned type)
{
    return (struct kvm_segment){
        .selector = (uint16_t)(selector | ring),
        .limit = 0xffffffff,
        .g = 1,
        .s = 1,
        .present = 1,
        .dpl = (uint8_t)ring,
        .type = (uint8_t)(type | SEG_ACCESSED),
    };
}

struct kvm_segment segment_code32(uint16_t selector, unsigned ring)
{
    struct kvm_segment segment = flat(selector, ring, SEG_CODE | SEG_READABLE);

    segment.db = 1;
    return segment;
}

struct kvm_segment segment_code64(uint16_t selector, unsigned ring)
{
    struct kvm_segment segment = flat(selector, ring, SEG_CODE | SEG_READABLE);

    segment.l = 1; /* and db stays 0: the pair L = D = 1 is reserved */
    return segment;
}

struct kvm_segment segment_data(uint16_t selector, unsigned ring)
{
    struct kvm_segment segment = flat(selector, ring, SEG_WRITABLE);

    segment.db = 1; /* the stack pointer is ESP, not SP */
    return segment;
}
