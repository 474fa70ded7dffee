/*
 * sys_socket.c: options of sockets.
 *
 * Addresses are the same bytes on all machines, so most calls are rows. Options are mostly ints;
 * those that are structures with longs in them (timeouts) are converted, the others are passed as
 * the bytes they are, for protocols whose options hold no pointers.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/sys.h"

#define OPTION_MAX   4096u
#define TIMEOUT_SIZE 8u /* a struct timeval of the guest */

/* A buffer argument for the host, or -EFAULT; NULL stays NULL. */
static int buffer(struct thread *thread, uint32_t address, uint64_t size, unsigned prot,
                  int64_t *host)
{
    *host = host_pointer(space_host(&thread->process->space, address, size, prot));
    if (address == 0 || size == 0)
        *host = 0;
    return *host || address == 0 || size == 0 ? 0 : -EFAULT;
}

/* SO_RCVTIMEO and SO_SNDTIMEO, with times of 32 bits and (since 5.1) of 64. */
enum { SO_RCVTIMEO_OLD_ = 20, SO_SNDTIMEO_OLD_ = 21, SO_RCVTIMEO_NEW_ = 66, SO_SNDTIMEO_NEW_ = 67 };

static bool is_old_timeout(uint32_t level, uint32_t option)
{
    return level == SOL_SOCKET && (option == SO_RCVTIMEO_OLD_ || option == SO_SNDTIMEO_OLD_);
}

/*
 * Values are numbers and addresses of sockets, not of memory: these levels know no other
 * options, but for classic filters and the zero-copy receive. Packet sockets' and fire
 * walls' options hold pointers, and a pointer of the guest's would be one of ours.
 */
static bool is_plain(uint32_t level, uint32_t option)
{
    switch (level) {
    case SOL_SOCKET: return option != SO_ATTACH_FILTER && option != SO_ATTACH_REUSEPORT_CBPF;
    case IPPROTO_TCP: return option != TCP_ZEROCOPY_RECEIVE;
    case IPPROTO_IP: return option < 64;
    case IPPROTO_IPV6: /* 64 to 69 are shared with the fire wall's */
        return option < 64 || option == IPV6_RECVTCLASS || option == IPV6_TCLASS ||
               option >= IPV6_AUTOFLOWLABEL;
    case IPPROTO_UDP:
    case SOL_NETLINK: return true;
    default: return false;
    }
}

SYSCALL_FUNCTION(setsockopt)
{
    struct space *space = &thread->process->space;
    int64_t value, time[2];

    if (!is_plain(args[1], args[2]))
        return -ENOPROTOOPT;
    if (is_old_timeout(args[1], args[2])) {
        if (args[4] < TIMEOUT_SIZE)
            return -EINVAL;
        if (convert_pairs_in(space, args[3], 1, false, time) < 0)
            return -EFAULT;
        return host_call(SYS_setsockopt, (int32_t)args[0], args[1], args[2], host_pointer(time),
                         sizeof time);
    }
    if (args[4] > OPTION_MAX)
        return -EINVAL;
    if (buffer(thread, args[3], args[4], SPACE_READ, &value) < 0)
        return -EFAULT;
    return host_call(SYS_setsockopt, (int32_t)args[0], (int32_t)args[1], (int32_t)args[2], value,
                     args[4]);
}

static int64_t get_timeout(struct thread *thread, const uint32_t args[SYSCALL_ARGS])
{
    struct space *space = &thread->process->space;
    int64_t time[2];
    uint32_t length = sizeof time;
    int64_t result = host_call(SYS_getsockopt, (int32_t)args[0], args[1], args[2],
                               host_pointer(time), host_pointer(&length));

    if (result < 0)
        return result;
    length = TIMEOUT_SIZE;
    if (convert_pairs_out(space, args[3], 1, false, time) < 0 ||
        space_write(space, args[4], &length, sizeof length) < 0)
        return -EFAULT;
    return 0;
}

SYSCALL_FUNCTION(getsockopt)
{
    struct space *space = &thread->process->space;
    uint32_t length;
    int64_t value, result;

    if (space_read(space, args[4], &length, sizeof length) < 0)
        return -EFAULT;
    if (is_old_timeout(args[1], args[2]))
        return length < TIMEOUT_SIZE ? -EINVAL : get_timeout(thread, args);
    if (!is_plain(args[1], args[2]))
        return -ENOPROTOOPT;
    if (length > OPTION_MAX)
        length = OPTION_MAX;
    if (buffer(thread, args[3], length, SPACE_WRITE, &value) < 0)
        return -EFAULT;
    result = host_call(SYS_getsockopt, (int32_t)args[0], (int32_t)args[1], (int32_t)args[2], value,
                       host_pointer(&length));
    if (result >= 0 && space_write(space, args[4], &length, sizeof length) < 0)
        return -EFAULT;
    return result;
}
