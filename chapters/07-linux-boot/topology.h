/*
 * topology.h: how many processors, and how they sit in sockets, cores and threads.
 *
 * A processor's number in its local APIC is composed of fields, so that shifts tell
 * which processors share a core and which a socket. Each field has as many bits as its
 * counts need: with three cores in a socket there are numbers that nobody has.
 * [SDM3, 8.9.1 "Hierarchical Mapping of Shared Resources"]
 *
 *        +--------+------+--------+
 *        | socket | core | thread |     -smp 12,sockets=2,cores=3,threads=2:
 *        +--------+------+--------+     thread 1 bit, core 2 bits, socket the rest
 */
#ifndef CHAPTER_07_TOPOLOGY_H
#define CHAPTER_07_TOPOLOGY_H

#include "04-devices/machine.h"
#include "common/refusal.h"

#define TOPOLOGY_MAX PROCESSORS_MAX

struct topology {
    unsigned sockets, cores, threads; /* cores in a socket, threads in a core; all >= 1 */
};

/*
 * What follows -smp, as QEMU reads it: "4", "cpus=4", "4,sockets=2,threads=2". A number
 * not given follows from the others; cores are preferred to sockets, and sockets to
 * threads. 0, or -EINVAL with why->text: numbers that contradict each other, too many
 * processors, an unknown word.
 */
int topology_parse(struct topology *topology, const char *text, struct refusal *why);

/* Processors in all, 1 to TOPOLOGY_MAX. */
unsigned topology_count(const struct topology *topology);

/* The APIC id of processor number index, 0 to count - 1. The first one's is 0. */
unsigned topology_apic_id(const struct topology *topology, unsigned index);

/* How many low bits of an APIC id tell threads of a core, and processors of a socket, apart. */
unsigned topology_thread_bits(const struct topology *topology);
unsigned topology_socket_bits(const struct topology *topology);

#endif
