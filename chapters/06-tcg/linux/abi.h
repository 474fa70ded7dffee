/*
 * abi.h: Linux's structures as a 32-bit ARM program lays them out (EABI).
 *
 * The kernel's interface is C structures, and C leaves their layout to the ABI. On
 * the ARM long and pointers are 32 bits wide; 64-bit members are aligned to 8. Much
 * is equal to x86-64 by design (everything made of int, and what was invented since
 * the 2000s with fixed sizes: epoll_event excepted); what is here is the rest. Times
 * exist in two widths, since 32-bit seconds end in 2038.
 *
 * Numbers of signals, errnos, socket options and most flags are those of the generic
 * Linux ABI and the same on both machines; the exceptions are named where they are
 * translated.
 *
 * Source: the headers of Linux 6.1, arch/arm/include/uapi/asm and
 * include/uapi/asm-generic. Every layout is asserted; no pointer of ours is ever
 * stored in one.
 */
#ifndef CHAPTER_06_LINUX_ABI_H
#define CHAPTER_06_LINUX_ABI_H

#include <stddef.h>
#include <stdint.h>

#define ABI_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define ABI_OFFSET(type, member, at)                                                               \
    _Static_assert(offsetof(type, member) == (at), #type "." #member)

/* ---- time ---- */

struct arm_timeval {
    int32_t tv_sec, tv_usec;
};

/* ---- files ---- */

struct arm_stat64 {
    uint64_t st_dev;
    uint32_t pad0, st_ino_low;
    uint32_t st_mode, st_nlink, st_uid, st_gid;
    uint64_t st_rdev;
    uint32_t pad3[2]; /* 4 bytes, and 4 that align st_size */
    int64_t st_size;
    uint32_t st_blksize, pad4;
    uint64_t st_blocks;
    uint32_t st_atime_, st_atime_nsec, st_mtime_, st_mtime_nsec, st_ctime_, st_ctime_nsec;
    uint64_t st_ino;
};
ABI_OFFSET(struct arm_stat64, st_rdev, 32);
ABI_OFFSET(struct arm_stat64, st_size, 48);
ABI_OFFSET(struct arm_stat64, st_ino, 96);
ABI_SIZE(struct arm_stat64, 104);

struct arm_statfs64 { /* packed and aligned to 4 on the ARM */
    uint32_t f_type, f_bsize;
    uint64_t f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    uint32_t f_fsid[2];
    uint32_t f_namelen, f_frsize, f_flags, f_spare[4];
} __attribute__((packed, aligned(4)));
ABI_SIZE(struct arm_statfs64, 84);

struct arm_flock {
    int16_t l_type, l_whence;
    int32_t l_start, l_len, l_pid;
};
struct arm_flock64 {
    int16_t l_type, l_whence;
    int32_t pad;
    int64_t l_start, l_len;
    int32_t l_pid, pad2;
};
ABI_SIZE(struct arm_flock, 16);
ABI_SIZE(struct arm_flock64, 32);

struct arm_iovec {
    uint32_t iov_base, iov_len;
};

struct arm_epoll_event { /* packed on x86-64 only */
    uint32_t events, pad;
    uint64_t data;
};
ABI_SIZE(struct arm_epoll_event, 16);

/* ---- sockets ---- */

struct arm_msghdr {
    uint32_t msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen, msg_flags;
};
struct arm_mmsghdr {
    struct arm_msghdr msg_hdr;
    uint32_t msg_len;
};
struct arm_cmsghdr { /* its data and the next one are aligned to 4 */
    uint32_t cmsg_len;
    int32_t cmsg_level, cmsg_type;
};
ABI_SIZE(struct arm_msghdr, 28);
ABI_SIZE(struct arm_cmsghdr, 12);

/* ---- the system ---- */

struct arm_sysinfo {
    int32_t uptime;
    uint32_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, pad;
    uint32_t totalhigh, freehigh, mem_unit;
    char unused[8];
};
ABI_SIZE(struct arm_sysinfo, 64);

struct arm_shmid {
    uint32_t key, uid, gid, cuid, cgid, mode;
    uint16_t seq, pad;
    uint32_t unused[2], size;
    uint64_t atime, dtime, ctime;
    int32_t cpid, lpid;
    uint32_t attached, reserved[2];
} __attribute__((packed));
ABI_SIZE(struct arm_shmid, 84);

struct arm_rlimit {
    uint32_t rlim_cur, rlim_max;
};
#define ARM_RLIM_INFINITY 0xffffffffu

/* ---- signals ---- */

#define ARM_NSIG 64

struct arm_sigaction {
    uint32_t handler, flags, restorer;
    uint32_t mask[2]; /* unaligned as a 64-bit number */
};
ABI_SIZE(struct arm_sigaction, 20);

#define ARM_SA_RESTORER 0x04000000u

struct arm_stack {
    uint32_t ss_sp;
    int32_t ss_flags;
    uint32_t ss_size;
};

struct arm_siginfo {
    int32_t si_signo, si_errno, si_code;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            uint32_t value; /* sigval: an int or a pointer of the guest */
        } rt;
        struct {
            int32_t pid;
            uint32_t uid;
            int32_t status, utime, stime;
        } child;
        struct {
            int32_t id, overrun;
            uint32_t value;
        } timer;
        struct {
            uint32_t address;
        } fault;
        struct {
            int32_t band, fd;
        } poll;
        uint32_t words[29];
    };
};
ABI_SIZE(struct arm_siginfo, 128);

/* arch/arm/include/uapi/asm/sigcontext.h */
struct arm_sigcontext {
    uint32_t trap_no, error_code, oldmask;
    uint32_t r[16];
    uint32_t cpsr, fault_address;
};

/* arch/arm/include/asm/ucontext.h */
struct arm_ucontext {
    uint32_t uc_flags, uc_link;
    struct arm_stack uc_stack;
    struct arm_sigcontext uc_mcontext;
    uint32_t uc_sigmask[2];
    uint32_t unused[30];
    /* VFP and iWMMXt registers would follow, tagged; a zero tag ends them. */
    uint32_t uc_regspace[128] __attribute__((aligned(8)));
};
ABI_OFFSET(struct arm_ucontext, uc_mcontext, 20);
ABI_OFFSET(struct arm_ucontext, uc_sigmask, 104);
ABI_OFFSET(struct arm_ucontext, uc_regspace, 232);
ABI_SIZE(struct arm_ucontext, 744);

/* arch/arm/kernel/signal.h */
struct arm_sigframe {
    struct arm_ucontext uc;
    uint32_t retcode[4];
};
struct arm_rt_sigframe {
    struct arm_siginfo info;
    struct arm_sigframe sig;
};
ABI_SIZE(struct arm_rt_sigframe, 128 + 744 + 16);

struct arm_sigevent {
    uint32_t value;
    int32_t signo, notify;
    int32_t tid;
    uint32_t pad[12];
};
ABI_SIZE(struct arm_sigevent, 64);

#endif
