/*
 * identity.h: CPUID leaves that tell a guest where it is.
 *
 * Processors of silicon leave bit 31 of leaf 1's ECX clear and have no leaves from
 * 0x40000000 on; both makers have set them aside for hypervisors. By custom a base leaf
 * holds the highest leaf of its interface in EAX and a signature of twelve characters
 * in EBX, ECX and EDX, and further interfaces follow at steps of 0x100. Ours is
 *
 *     0x40000000  EAX 0x40000001, EBX ECX EDX "Ring minus 1"
 *     0x40000001  EAX the interface's version, EBX the port of hypercall.h
 *
 * and KVM's own, if it has one, moves up to 0x40000100.
 */
#ifndef CHAPTER_02_IDENTITY_H
#define CHAPTER_02_IDENTITY_H

#include <linux/kvm.h>

#define IDENTITY_BASE      0x40000000u
#define IDENTITY_NEXT      0x40000100u
#define IDENTITY_SIGNATURE "Ring minus 1"

/*
 * A copy of cpuid with our leaves in it, to be released with free(); NULL if there is
 * no memory. Bits for VT-x and AMD-V are cleared, since this machine offers no second
 * floor, and so is the serial number of leaf 3.
 */
struct kvm_cpuid2 *identity_add(const struct kvm_cpuid2 *cpuid);

#endif
