/*
 * sys_message.c: sendmsg() and recvmsg(), and the control messages inside them.
 *
 * A message is a header with an address, scattered buffers, and control messages:
 * records of a length, a level, a type and data. Lengths are longs, so a record's
 * head is 12 bytes for the guest and 16 for the host, and records are aligned to 4
 * and to 8. The data of the common ones (descriptors, credentials) is made of ints and
 * is copied; SCM_TIMESTAMP's is two longs and is converted.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/sys.h"
#include "common/bits.h"

#define CONTROL_MAX 4096u /* bytes of control messages, on either side */
#define NAME_BYTES  sizeof(struct sockaddr_storage)

/* A message on the host's side, with everything that hangs on it. */
struct message {
    struct msghdr header;
    struct iovec buffers[IOV_MAX];
    char name[NAME_BYTES];
    _Alignas(struct cmsghdr) char control[2 * CONTROL_MAX];
};

/* Reads header and buffers. 0 or -errno. */
static int message_in(struct space *space, const struct arm_msghdr *arm, unsigned prot,
                      struct message *message)
{
    int error;

    if (arm->msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    if (arm->msg_controllen > CONTROL_MAX && arm->msg_control && prot == SPACE_READ)
        return -ENOBUFS;
    error = convert_iovec(space, arm->msg_iov, arm->msg_iovlen, prot, message->buffers);
    if (error)
        return error;
    message->header = (struct msghdr){
        .msg_name = arm->msg_name ? message->name : NULL,
        .msg_namelen = arm->msg_namelen < NAME_BYTES ? arm->msg_namelen : NAME_BYTES,
        .msg_iov = message->buffers,
        .msg_iovlen = arm->msg_iovlen,
        .msg_flags = (int)arm->msg_flags,
    };
    return 0;
}

/* Levels whose control messages are ints and descriptors, and no pointers. */
static bool is_plain_level(int level)
{
    return level == SOL_SOCKET || level == IPPROTO_IP || level == IPPROTO_IPV6 ||
           level == IPPROTO_UDP;
}

/* The guest's control messages, repacked for the host. 0 or -errno. */
static int control_in(struct space *space, const struct arm_msghdr *arm, struct message *message)
{
    char bytes[CONTROL_MAX];
    size_t used = 0, size = arm->msg_control ? arm->msg_controllen : 0;
    struct arm_cmsghdr head;

    if (size && space_read(space, arm->msg_control, bytes, size) < 0)
        return -EFAULT;
    for (size_t at = 0; fits(at, sizeof head, size); at += align_up(head.cmsg_len, 4)) {
        struct cmsghdr *host = (struct cmsghdr *)(message->control + used);
        size_t data;

        memcpy(&head, bytes + at, sizeof head);
        if (head.cmsg_len < sizeof head || !fits(at, head.cmsg_len, size) ||
            !is_plain_level(head.cmsg_level))
            return -EINVAL;
        data = head.cmsg_len - sizeof head;
        if (used + CMSG_SPACE(data) > sizeof message->control)
            return -ENOBUFS;
        *host = (struct cmsghdr){CMSG_LEN(data), head.cmsg_level, head.cmsg_type};
        memcpy(CMSG_DATA(host), bytes + at + sizeof head, data);
        used += CMSG_SPACE(data);
    }
    message->header.msg_control = used ? message->control : NULL;
    message->header.msg_controllen = used;
    return 0;
}

/* One record for the guest: its data, converted where it holds longs. */
static size_t record_data(struct cmsghdr *host, char data[CONTROL_MAX])
{
    size_t size = host->cmsg_len - CMSG_LEN(0);

    if (host->cmsg_level == SOL_SOCKET && host->cmsg_type == SCM_TIMESTAMP) {
        struct timeval time;
        struct arm_timeval arm;

        memcpy(&time, CMSG_DATA(host), sizeof time);
        arm = (struct arm_timeval){(int32_t)time.tv_sec, (int32_t)time.tv_usec};
        memcpy(data, &arm, sizeof arm);
        return sizeof arm;
    }
    memcpy(data, CMSG_DATA(host), size);
    return size;
}

/*
 * What the host received, repacked for the guest; sets msg_controllen and, where there
 * was too little room, MSG_CTRUNC. Descriptors that do not fit are lost, as on Linux.
 */
static int control_out(struct space *space, struct arm_msghdr *arm, struct message *message)
{
    char bytes[CONTROL_MAX], data[CONTROL_MAX];
    size_t used = 0, room = arm->msg_control ? arm->msg_controllen : 0;

    if (room > sizeof bytes)
        room = sizeof bytes;
    for (struct cmsghdr *host = CMSG_FIRSTHDR(&message->header); host;
         host = CMSG_NXTHDR(&message->header, host)) {
        size_t size = record_data(host, data);
        struct arm_cmsghdr head = {(uint32_t)(sizeof head + size), host->cmsg_level,
                                   host->cmsg_type};

        if (!fits(used, head.cmsg_len, room)) {
            message->header.msg_flags |= MSG_CTRUNC;
            break;
        }
        memcpy(bytes + used, &head, sizeof head);
        memcpy(bytes + used + sizeof head, data, size);
        used += align_up(head.cmsg_len, 4);
        if (used > room)
            used = room;
    }
    arm->msg_controllen = (uint32_t)used;
    arm->msg_flags = (uint32_t)message->header.msg_flags;
    return used ? space_write(space, arm->msg_control, bytes, used) : 0;
}

static int64_t send_message(struct thread *thread, uint32_t fd, const struct arm_msghdr *arm,
                            uint32_t flags)
{
    struct space *space = &thread->process->space;
    struct message message;
    int error = message_in(space, arm, SPACE_READ, &message);

    if (!error && arm->msg_name)
        error = space_read(space, arm->msg_name, message.name, message.header.msg_namelen);
    if (!error)
        error = control_in(space, arm, &message);
    if (error)
        return error;
    return host_call_waiting(thread, SYS_sendmsg, (int32_t)fd, host_pointer(&message.header),
                             flags);
}

SYSCALL_FUNCTION(sendmsg)
{
    struct arm_msghdr arm;

    if (space_read(&thread->process->space, args[1], &arm, sizeof arm) < 0)
        return -EFAULT;
    return send_message(thread, args[0], &arm, args[2]);
}

/* Many messages; the first that fails ends it, and is an error only if it is the first. */
SYSCALL_FUNCTION(sendmmsg)
{
    struct space *space = &thread->process->space;
    uint32_t count = args[2] < IOV_MAX ? args[2] : IOV_MAX, sent;
    int64_t result = 0;

    for (sent = 0; sent < count; sent++) {
        uint32_t at = args[1] + sent * (uint32_t)sizeof(struct arm_mmsghdr);
        struct arm_mmsghdr arm;

        if (space_read(space, at, &arm, sizeof arm) < 0)
            result = -EFAULT;
        else
            result = send_message(thread, args[0], &arm.msg_hdr, args[3]);
        if (result < 0)
            break;
        arm.msg_len = (uint32_t)result;
        if (space_write(space, at, &arm, sizeof arm) < 0)
            return -EFAULT;
    }
    return sent ? (int64_t)sent : result;
}

SYSCALL_FUNCTION(recvmsg)
{
    struct space *space = &thread->process->space;
    struct message message;
    struct arm_msghdr arm;
    uint32_t name_room;
    int64_t received;
    int error;

    if (space_read(space, args[1], &arm, sizeof arm) < 0)
        return -EFAULT;
    error = message_in(space, &arm, SPACE_WRITE, &message);
    if (error)
        return error;
    name_room = message.header.msg_namelen;
    message.header.msg_control = message.control;
    message.header.msg_controllen =
        arm.msg_control ? (arm.msg_controllen < CONTROL_MAX ? arm.msg_controllen : CONTROL_MAX) * 2
                        : 0;
    received = host_call_waiting(thread, SYS_recvmsg, (int32_t)args[0],
                                 host_pointer(&message.header), args[2]);
    if (received < 0)
        return received;
    arm.msg_namelen = message.header.msg_namelen;
    if (arm.msg_name && space_write(space, arm.msg_name, message.name,
                                    arm.msg_namelen < name_room ? arm.msg_namelen : name_room) < 0)
        return -EFAULT;
    if (control_out(space, &arm, &message) < 0 || space_write(space, args[1], &arm, sizeof arm) < 0)
        return -EFAULT;
    return received;
}
