/*
 * topology.c: see topology.h.
 *
 * Left out on purpose: dies, clusters and the other levels that QEMU knows, and
 * processors that are added while the guest runs (maxcpus).
 */
#include "07-linux-boot/topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bits.h"

/* As given on the command line; 0 for what is not given. */
struct wishes {
    unsigned cpus, sockets, cores, threads;
};

/* The number that the word "name=" or none at all sets, or NULL: no such word. */
static unsigned *find_wish(struct wishes *wishes, const char *name, size_t size)
{
    const struct {
        const char *name;
        unsigned *wish;
    } rows[] = {{"cpus", &wishes->cpus},
                {"sockets", &wishes->sockets},
                {"cores", &wishes->cores},
                {"threads", &wishes->threads}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        if (strlen(rows[i].name) == size && memcmp(rows[i].name, name, size) == 0)
            return rows[i].wish;
    return NULL;
}

/* One number, from 1 to TOPOLOGY_MAX, that ends at end. */
static bool parse_number(const char *text, const char *end, unsigned *number)
{
    char *stop;
    unsigned long value = strtoul(text, &stop, 10); /* too many digits: the largest number */

    *number = (unsigned)value;
    return text[0] >= '0' && text[0] <= '9' && stop == end && value >= 1 && value <= TOPOLOGY_MAX;
}

static int parse_wishes(struct wishes *wishes, const char *text, struct refusal *why)
{
    const char *at = text;

    for (;;) {
        size_t size = strcspn(at, ","), name = strcspn(at, "=,");
        const char *number = name < size ? at + name + 1 : at;
        unsigned *wish = &wishes->cpus;

        if (name < size)
            wish = find_wish(wishes, at, name);
        if (!wish || (name == size && at != text))
            return refuse(why, -EINVAL,
                          "-smp %.80s: \"%.*s\" is unknown: there are cpus=, sockets=, cores= and "
                          "threads=",
                          text, size < 40 ? (int)size : 40, at);
        if (!parse_number(number, at + size, wish))
            return refuse(why, -EINVAL, "-smp %.80s: \"%.*s\" is no number from 1 to %u", text,
                          size < 40 ? (int)size : 40, at, TOPOLOGY_MAX);
        if (at[size] == '\0')
            return 0;
        at += size + 1;
    }
}

static unsigned or_one(unsigned wish)
{
    return wish ? wish : 1;
}

/* What is left for a level if the others have this many places; at least one. */
static unsigned rest(unsigned cpus, unsigned places)
{
    return or_one(cpus / places);
}

int topology_parse(struct topology *topology, const char *text, struct refusal *why)
{
    struct wishes wishes = {0};
    unsigned count;
    int error = parse_wishes(&wishes, text, why);

    if (error < 0)
        return error;
    if (!wishes.cpus)
        wishes.cpus = or_one(wishes.sockets) * or_one(wishes.cores) * or_one(wishes.threads);
    if (!wishes.cores)
        wishes.cores = rest(wishes.cpus, or_one(wishes.sockets) * or_one(wishes.threads));
    if (!wishes.sockets)
        wishes.sockets = rest(wishes.cpus, wishes.cores * or_one(wishes.threads));
    if (!wishes.threads)
        wishes.threads = rest(wishes.cpus, wishes.sockets * wishes.cores);

    *topology = (struct topology){wishes.sockets, wishes.cores, wishes.threads};
    count = topology_count(topology);
    if (count != wishes.cpus)
        return refuse(why, -EINVAL,
                      "-smp %.80s: sockets %u * cores %u * threads %u are %u processors, not %u",
                      text, topology->sockets, topology->cores, topology->threads, count,
                      wishes.cpus);
    if (count > TOPOLOGY_MAX)
        return refuse(why, -EINVAL, "-smp %.80s: %u processors; %u at most", text, count,
                      TOPOLOGY_MAX);
    return 0;
}

unsigned topology_count(const struct topology *topology)
{
    return topology->sockets * topology->cores * topology->threads;
}

/* How many bits tell count things apart. */
static unsigned field_bits(unsigned count)
{
    unsigned bits = 0;

    while (1u << bits < count)
        bits++;
    return bits;
}

unsigned topology_thread_bits(const struct topology *topology)
{
    return field_bits(topology->threads);
}

unsigned topology_socket_bits(const struct topology *topology)
{
    return field_bits(topology->cores) + topology_thread_bits(topology);
}

unsigned topology_apic_id(const struct topology *topology, unsigned index)
{
    unsigned thread = index % topology->threads;
    unsigned core = index / topology->threads % topology->cores;
    unsigned socket = index / topology->threads / topology->cores;

    return socket << topology_socket_bits(topology) | core << topology_thread_bits(topology) |
           thread;
}
