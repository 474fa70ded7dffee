/*
 * sys_socket.c: sockets: addresses, options, sending and receiving.
 *
 * Addresses are the same bytes on all machines. Options are mostly ints; those that
 * are structures with longs in them (timeouts) are converted, the others are passed as
 * the bytes they are, for protocols whose options hold no pointers.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "06-tcg/linux/sys.h"

#define OPTION_MAX 4096u

/* A buffer argument for the host, or -EFAULT; NULL stays NULL. */
static int buffer(struct thread *thread, uint32_t address, uint64_t size, unsigned prot,
                  int64_t *host)
{
    *host = (int64_t)(uintptr_t)space_host(&thread->process->space, address, size, prot);
    if (address == 0 || size == 0)
        *host = 0;
    return *host || address == 0 || size == 0 ? 0 : -EFAULT;
}

/*
 * Calls that fill an address and its length: call(fd, address, &length, flags). The
 * length says how much room there is, and then how much there would have been.
 */
static int64_t with_address(struct thread *thread, long number, uint32_t fd, uint32_t address,
                            uint32_t length_address, int64_t flags)
{
    struct space *space = &thread->process->space;
    int64_t to = 0, result;
    uint32_t length = 0;

    if (address) {
        if (space_read(space, length_address, &length, sizeof length) < 0)
            return -EFAULT;
        if ((int32_t)length < 0)
            return -EINVAL;
        if (buffer(thread, address, length, SPACE_WRITE, &to) < 0)
            return -EFAULT;
    }
    result = host_call_waiting(thread, number, (int32_t)fd, to,
                               address ? (int64_t)(uintptr_t)&length : 0, flags, 0, 0);
    if (result >= 0 && address && space_write(space, length_address, &length, sizeof length) < 0)
        return -EFAULT;
    return result;
}

SYSCALL_FUNCTION(accept)
{
    return with_address(thread, SYS_accept, args[0], args[1], args[2], 0);
}

SYSCALL_FUNCTION(accept4)
{
    return with_address(thread, SYS_accept4, args[0], args[1], args[2], args[3]);
}

SYSCALL_FUNCTION(getsockname)
{
    return with_address(thread, SYS_getsockname, args[0], args[1], args[2], 0);
}

SYSCALL_FUNCTION(getpeername)
{
    return with_address(thread, SYS_getpeername, args[0], args[1], args[2], 0);
}

SYSCALL_FUNCTION(sendto)
{
    int64_t data, address;

    if (buffer(thread, args[1], args[2], SPACE_READ, &data) < 0 ||
        buffer(thread, args[4], args[5], SPACE_READ, &address) < 0)
        return -EFAULT;
    return host_call_waiting(thread, SYS_sendto, (int32_t)args[0], data, args[2], args[3], address,
                             args[5]);
}

SYSCALL_FUNCTION(send)
{
    const uint32_t all[SYSCALL_ARGS] = {args[0], args[1], args[2], args[3]};

    return sys_sendto(thread, all);
}

SYSCALL_FUNCTION(recvfrom)
{
    struct space *space = &thread->process->space;
    int64_t data, address = 0, result;
    uint32_t length = 0;

    if (buffer(thread, args[1], args[2], SPACE_WRITE, &data) < 0)
        return -EFAULT;
    if (args[4] && (space_read(space, args[5], &length, sizeof length) < 0 ||
                    buffer(thread, args[4], length, SPACE_WRITE, &address) < 0))
        return -EFAULT;
    result = host_call_waiting(thread, SYS_recvfrom, (int32_t)args[0], data, args[2], args[3],
                               address, address ? (int64_t)(uintptr_t)&length : 0);
    if (result >= 0 && args[4] && space_write(space, args[5], &length, sizeof length) < 0)
        return -EFAULT;
    return result;
}

SYSCALL_FUNCTION(recv)
{
    const uint32_t all[SYSCALL_ARGS] = {args[0], args[1], args[2], args[3]};

    return sys_recvfrom(thread, all);
}

/* ---- options ---------------------------------------------------------------------------- */

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
    case IPPROTO_IP:
    case IPPROTO_IPV6: return option < 64 || option == IPV6_TCLASS;
    case IPPROTO_UDP:
    case SOL_NETLINK: return true;
    default: return false;
    }
}

SYSCALL_FUNCTION(setsockopt)
{
    struct space *space = &thread->process->space;
    struct arm_timeval arm;
    struct timeval time;
    int64_t value;

    if (!is_plain(args[1], args[2]))
        return -ENOPROTOOPT;
    if (is_old_timeout(args[1], args[2])) {
        if (args[4] < sizeof arm)
            return -EINVAL;
        if (space_read(space, args[3], &arm, sizeof arm) < 0)
            return -EFAULT;
        time = (struct timeval){arm.tv_sec, arm.tv_usec};
        return host_call(SYS_setsockopt, (int32_t)args[0], args[1], args[2],
                         (int64_t)(uintptr_t)&time, sizeof time, 0);
    }
    if (args[4] > OPTION_MAX)
        return -EINVAL;
    if (buffer(thread, args[3], args[4], SPACE_READ, &value) < 0)
        return -EFAULT;
    return host_call(SYS_setsockopt, (int32_t)args[0], (int32_t)args[1], (int32_t)args[2], value,
                     args[4], 0);
}

static int64_t get_timeout(struct thread *thread, const uint32_t args[SYSCALL_ARGS])
{
    struct space *space = &thread->process->space;
    struct timeval time;
    struct arm_timeval arm;
    uint32_t length = sizeof time;
    int64_t result = host_call(SYS_getsockopt, (int32_t)args[0], args[1], args[2],
                               (int64_t)(uintptr_t)&time, (int64_t)(uintptr_t)&length, 0);

    if (result < 0)
        return result;
    arm = (struct arm_timeval){(int32_t)time.tv_sec, (int32_t)time.tv_usec};
    length = sizeof arm;
    if (space_write(space, args[3], &arm, sizeof arm) < 0 ||
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
        return length < sizeof(struct arm_timeval) ? -EINVAL : get_timeout(thread, args);
    if (!is_plain(args[1], args[2]))
        return -ENOPROTOOPT;
    if (length > OPTION_MAX)
        length = OPTION_MAX;
    if (buffer(thread, args[3], length, SPACE_WRITE, &value) < 0)
        return -EFAULT;
    result = host_call(SYS_getsockopt, (int32_t)args[0], (int32_t)args[1], (int32_t)args[2], value,
                       (int64_t)(uintptr_t)&length, 0);
    if (result >= 0 && space_write(space, args[4], &length, sizeof length) < 0)
        return -EFAULT;
    return result;
}
