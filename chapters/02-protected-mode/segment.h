/*
 * segment.h: the eight bytes of a segment descriptor, and what KVM makes of them.
 *
 *   63        56 55 54 53 52 51     48 47 46 45 44 43   40 39      32
 *  | base 31..24 | G|DB| L|AV|lim19..16| P| DPL | S|  type | base23..16|
 *  |             base 15..0            |          limit 15..0          |
 *   31                               16 15                            0
 *
 * [SDM3, 3.4.5 "Segment Descriptors", figure 3-8]
 *
 * A processor that loads a selector reads this once and keeps it in the hidden part
 * of the segment register. struct kvm_segment is that hidden part, and its limit is
 * in bytes, with G already applied: a 4 GiB segment has limit 0xffffffff and g = 1.
 */
#ifndef CHAPTER_02_SEGMENT_H
#define CHAPTER_02_SEGMENT_H

#include <linux/kvm.h>
#include <stdint.h>

/* The descriptor that, once loaded, gives segment. Bits that do not fit are lost. */
uint64_t segment_pack(const struct kvm_segment *segment);

/* What the processor keeps after loading descriptor through selector. */
struct kvm_segment segment_unpack(uint16_t selector, uint64_t descriptor);

/* Flat segments from 0 to 4 GiB: 32-bit code, 64-bit code, data. Ring is the DPL. */
struct kvm_segment segment_code32(uint16_t selector, unsigned ring);
struct kvm_segment segment_code64(uint16_t selector, unsigned ring);
struct kvm_segment segment_data(uint16_t selector, unsigned ring);

#endif
