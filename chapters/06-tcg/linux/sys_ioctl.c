/*
 * sys_ioctl.c: ioctl(): terminals, and a few questions about files.
 *
 * An ioctl's argument can be anything, so only what is listed here passes: number and
 * the size of what the argument points at. Structures with pointers or longs in them
 * are not in the list, for the host would follow a pointer that is the guest's. What is
 * not listed answers ENOTTY, as a driver that does not know it.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <linux/termios.h>
#include <sys/syscall.h>

#include "06-tcg/linux/sys.h"
#include "common/bits.h"

/* The argument: none or a plain number, or so many bytes that the kernel reads or
 * writes, or a struct ifreq. */
enum kind { NUMBER, READS, WRITES, INTERFACE };

static const struct {
    uint32_t request;
    enum kind kind;
    uint32_t size;
} known[] = {
    {TCGETS, WRITES, sizeof(struct termios)},
    {TCSETS, READS, sizeof(struct termios)},
    {TCSETSW, READS, sizeof(struct termios)},
    {TCSETSF, READS, sizeof(struct termios)},
    {TCGETS2, WRITES, sizeof(struct termios2)},
    {TCSETS2, READS, sizeof(struct termios2)},
    {TCSETSW2, READS, sizeof(struct termios2)},
    {TCSETSF2, READS, sizeof(struct termios2)},
    {TCSBRK, NUMBER, 0},
    {TCSBRKP, NUMBER, 0},
    {TCXONC, NUMBER, 0},
    {TCFLSH, NUMBER, 0},
    {TIOCGWINSZ, WRITES, sizeof(struct winsize)},
    {TIOCSWINSZ, READS, sizeof(struct winsize)},
    {TIOCGPGRP, WRITES, 4},
    {TIOCSPGRP, READS, 4},
    {TIOCGSID, WRITES, 4},
    {TIOCSCTTY, NUMBER, 0},
    {TIOCNOTTY, NUMBER, 0},
    {TIOCOUTQ, WRITES, 4},
    {TIOCMGET, WRITES, 4},
    {TIOCEXCL, NUMBER, 0},
    {TIOCNXCL, NUMBER, 0},
    {TIOCGPTN, WRITES, 4},
    {TIOCSPTLCK, READS, 4},
    {TIOCGPTPEER, NUMBER, 0},
    {FIONREAD, WRITES, 4},
    {FIONBIO, READS, 4},
    {FIOASYNC, READS, 4},
    {FIOCLEX, NUMBER, 0},
    {FIONCLEX, NUMBER, 0},
    {SIOCATMARK, WRITES, 4},
    {FICLONE, NUMBER, 0},
    {FICLONERANGE, READS, sizeof(struct file_clone_range)},
    {SIOCGIFNAME, INTERFACE, 0},
    {SIOCGIFFLAGS, INTERFACE, 0},
    {SIOCGIFADDR, INTERFACE, 0},
    {SIOCGIFBRDADDR, INTERFACE, 0},
    {SIOCGIFNETMASK, INTERFACE, 0},
    {SIOCGIFMTU, INTERFACE, 0},
    {SIOCGIFHWADDR, INTERFACE, 0},
    {SIOCGIFINDEX, INTERFACE, 0},
    {BLKGETSIZE64, WRITES, 8},
    {BLKSSZGET, WRITES, 4},
    /* Named for a long by mistake; everybody reads and writes an int. */
    {_IOR('f', 1, int32_t), WRITES, 4},
    {_IOW('f', 2, int32_t), READS, 4},
};

/* FS_IOC_GETFLAGS and FS_IOC_SETFLAGS are the exception: their number has the size. */
static uint32_t host_request(uint32_t request)
{
    if (request == _IOR('f', 1, int32_t))
        return FS_IOC_GETFLAGS;
    return request == _IOW('f', 2, int32_t) ? (uint32_t)FS_IOC_SETFLAGS : request;
}

/*
 * struct ifreq: a name of 16 bytes, and a union that longs make 16 bytes large on the ARM
 * and 24 on x86-64. What the requests above put there are ints and addresses.
 */
#define ARM_IFREQ 32u

static int64_t interface(struct thread *thread, const uint32_t args[SYSCALL_ARGS])
{
    struct space *space = &thread->process->space;
    char request[40] = "";
    int64_t result;

    if (space_read(space, args[2], request, ARM_IFREQ) < 0)
        return -EFAULT;
    result = host_call(SYS_ioctl, (int32_t)args[0], args[1], host_pointer(request));
    return result < 0 ? result : space_write(space, args[2], request, ARM_IFREQ);
}

SYSCALL_FUNCTION(ioctl)
{
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        int64_t argument = (int32_t)args[2];

        if (known[i].request != args[1])
            continue;
        if (known[i].kind == INTERFACE)
            return interface(thread, args);
        if (known[i].kind != NUMBER) {
            argument = host_pointer(space_host(&thread->process->space, args[2], known[i].size,
                                               known[i].kind == WRITES ? SPACE_WRITE : SPACE_READ));
            if (!argument)
                return -EFAULT;
        }
        return host_call_waiting(thread, SYS_ioctl, (int32_t)args[0], host_request(args[1]),
                                 argument);
    }
    /* Even so a bad descriptor is a bad descriptor. */
    return host_call(SYS_fcntl, (int32_t)args[0], 1 /* F_GETFD */) < 0 ? -EBADF : -ENOTTY;
}
