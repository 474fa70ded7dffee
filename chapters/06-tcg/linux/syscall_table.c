/*
 * syscall_table.c: the system calls of a 32-bit ARM, one row each. See syscall.h.
 *
 * The numbers are those of [Linux: arch/arm/tools/syscall.tbl], EABI. A number without
 * a row answers ENOSYS, which C libraries know how to live with. Left out on purpose:
 * the calls with 16-bit user numbers or of before signals were real-time (C libraries
 * gave them up long ago); ptrace, modules, namespaces, mounting, System V IPC, io_submit
 * and io_uring, seccomp and key rings (no program of a user's day needs them, and each
 * hands pointers to the kernel in structures of its own).
 */
#include <stddef.h>
#include <sys/syscall.h>

#include "06-tcg/linux/sys.h"
#include "common/bits.h"

#define WAITS  SYSCALL_BLOCKS
#define NOHAND SYSCALL_NOHAND

/* The same call of the host, with these arguments; or a function of ours. */
#define HOST(number, name, args)                                                                   \
    {                                                                                              \
        number, #name, args, SYS_##name, NULL, 0                                                   \
    }
#define HOST_WAITS(number, name, args)                                                             \
    {                                                                                              \
        number, #name, args, SYS_##name, NULL, WAITS                                               \
    }
#define HOST_AS(number, name, args, host)                                                          \
    {                                                                                              \
        number, #name, args, SYS_##host, NULL, 0                                                   \
    }
#define OURS(number, name, args)                                                                   \
    {                                                                                              \
        number, #name, args, -1, sys_##name, 0                                                     \
    }
#define OURS_AS(number, name, args, other)                                                         \
    {                                                                                              \
        number, #name, args, -1, sys_##other, 0                                                    \
    }
#define OURS_WAITS(number, name, args, flags, other)                                               \
    {                                                                                              \
        number, #name, args, -1, sys_##other, flags                                                \
    }

/* clang-format off */
static const struct syscall table[] = {
    /* [rows] */
    OURS(1, exit, "d"),
    OURS(2, fork, ""),
    HOST_WAITS(3, read, "f>u"),
    HOST_WAITS(4, write, "f<u"),
    OURS_WAITS(5, open, "pxo", WAITS, open),
    HOST(6, close, "f"),
    OURS(8, creat, "po"),
    HOST(9, link, "PP"),
    HOST(10, unlink, "P"),
    /* [/rows] */
    OURS(11, execve, "pxx"),
    HOST(12, chdir, "p"),
    HOST(14, mknod, "Pou"),
    HOST(15, chmod, "po"),
    HOST(19, lseek, "fdd"),
    HOST(20, getpid, ""),
    OURS_WAITS(29, pause, "", NOHAND, pause),
    HOST(33, access, "po"),
    HOST(36, sync, ""),
    HOST(37, kill, "dd"),
    HOST(38, rename, "PP"),
    HOST(39, mkdir, "Po"),
    HOST(40, rmdir, "P"),
    HOST(41, dup, "f"),
    HOST(42, pipe, "W"),
    OURS(43, times, "x"),
    OURS(45, brk, "x"),
    OURS_WAITS(54, ioctl, "fxx", WAITS, ioctl),
    OURS_WAITS(55, fcntl, "fxx", WAITS, fcntl64),
    HOST(57, setpgid, "dd"),
    HOST(60, umask, "o"),
    HOST(63, dup2, "ff"),
    HOST(64, getppid, ""),
    HOST(65, getpgrp, ""),
    HOST(66, setsid, ""),
    OURS(75, setrlimit, "dx"),
    OURS(77, getrusage, "dx"),
    OURS(78, gettimeofday, "xx"),
    HOST(83, symlink, "sP"),
    OURS(85, readlink, "Pxu"),
    OURS(91, munmap, "xx"),
    HOST(92, truncate, "pd"),
    HOST(93, ftruncate, "fd"),
    HOST(94, fchmod, "fo"),
    HOST(96, getpriority, "dd"),
    HOST(97, setpriority, "ddd"),
    OURS(104, setitimer, "dxx"),
    OURS(105, getitimer, "dx"),
    OURS_WAITS(114, wait4, "dxxx", WAITS, wait4),
    OURS(116, sysinfo, "x"),
    HOST_WAITS(118, fsync, "f"),
    OURS(119, sigreturn, ""),
    OURS(120, clone, "xxxxx"),
    OURS(122, uname, "x"),
    OURS(125, mprotect, "xxx"),
    HOST(132, getpgid, "d"),
    HOST(133, fchdir, "f"),
    OURS(136, personality, "x"),
    OURS(140, _llseek, "fuuxd"),
    OURS_WAITS(142, _newselect, "dxxxx", NOHAND, _newselect),
    HOST_WAITS(143, flock, "fd"),
    OURS(144, msync, "xxx"),
    OURS_WAITS(145, readv, "fxu", WAITS, readv),
    OURS_WAITS(146, writev, "fxu", WAITS, writev),
    HOST(147, getsid, "d"),
    HOST_WAITS(148, fdatasync, "f"),
    OURS_AS(150, mlock, "xx", mlock),
    OURS_AS(151, munlock, "xx", mlock),
    OURS_AS(152, mlockall, "x", mlockall),
    OURS_AS(153, munlockall, "", mlockall),
    HOST(154, sched_setparam, "dw"),
    HOST(155, sched_getparam, "dw"),
    HOST(156, sched_setscheduler, "ddw"),
    HOST(157, sched_getscheduler, "d"),
    HOST(158, sched_yield, ""),
    HOST(159, sched_get_priority_max, "d"),
    HOST(160, sched_get_priority_min, "d"),
    OURS_WAITS(162, nanosleep, "xx", NOHAND, nanosleep),
    OURS(163, mremap, "xxxxx"),
    OURS_WAITS(168, poll, "xud", NOHAND, poll),
    OURS(172, prctl, "dxxxx"),
    OURS(173, rt_sigreturn, ""),
    OURS(174, rt_sigaction, "dxxu"),
    OURS(175, rt_sigprocmask, "dxxu"),
    OURS(176, rt_sigpending, "xu"),
    OURS_WAITS(177, rt_sigtimedwait, "xxxu", NOHAND, rt_sigtimedwait),
    OURS(178, rt_sigqueueinfo, "ddx"),
    OURS_WAITS(179, rt_sigsuspend, "xu", NOHAND, rt_sigsuspend),
    HOST_WAITS(180, pread64, "f>uq"),
    HOST_WAITS(181, pwrite64, "f<uq"),
    HOST(183, getcwd, ">u"),
    OURS(186, sigaltstack, "xx"),
    OURS_WAITS(187, sendfile, "ffxu", WAITS, sendfile),
    OURS(190, vfork, ""),
    OURS(191, ugetrlimit, "dx"),
    OURS(192, mmap2, "xxxxfx"),
    HOST_AS(193, truncate64, "pq", truncate),
    HOST_AS(194, ftruncate64, "fq", ftruncate),
    OURS(195, stat64, "px"),
    OURS(196, lstat64, "Px"),
    OURS(197, fstat64, "fx"),
    HOST_AS(198, lchown32, "Pdd", lchown),
    HOST_AS(199, getuid32, "", getuid),
    HOST_AS(200, getgid32, "", getgid),
    HOST_AS(201, geteuid32, "", geteuid),
    HOST_AS(202, getegid32, "", getegid),
    HOST_AS(203, setreuid32, "dd", setreuid),
    HOST_AS(204, setregid32, "dd", setregid),
    OURS(205, getgroups32, "dx"),
    OURS(206, setgroups32, "dx"),
    HOST_AS(207, fchown32, "fdd", fchown),
    HOST_AS(208, setresuid32, "ddd", setresuid),
    HOST_AS(209, getresuid32, "www", getresuid),
    HOST_AS(210, setresgid32, "ddd", setresgid),
    HOST_AS(211, getresgid32, "www", getresgid),
    HOST_AS(212, chown32, "pdd", chown),
    HOST_AS(213, setuid32, "d", setuid),
    HOST_AS(214, setgid32, "d", setgid),
    HOST_AS(215, setfsuid32, "d", setfsuid),
    HOST_AS(216, setfsgid32, "d", setfsgid),
    HOST(217, getdents64, "f>u"),
    OURS(219, mincore, "xux"),
    OURS(220, madvise, "xxd"),
    OURS_WAITS(221, fcntl64, "fxx", WAITS, fcntl64),
    HOST(224, gettid, ""),
    HOST(225, readahead, "fqu"),
    HOST(226, setxattr, "ps<ud"),
    HOST(227, lsetxattr, "Ps<ud"),
    HOST(228, fsetxattr, "fs<ud"),
    HOST(229, getxattr, "ps>u"),
    HOST(230, lgetxattr, "Ps>u"),
    HOST(231, fgetxattr, "fs>u"),
    HOST(232, listxattr, "p>u"),
    HOST(233, llistxattr, "P>u"),
    HOST(234, flistxattr, "f>u"),
    HOST(235, removexattr, "ps"),
    HOST(236, lremovexattr, "Ps"),
    HOST(237, fremovexattr, "fs"),
    HOST(238, tkill, "dd"),
    {239, "sendfile64", "ffWu", SYS_sendfile, NULL, WAITS},
    OURS_WAITS(240, futex, "xduxxu", WAITS, futex),
    OURS(241, sched_setaffinity, "dux"),
    OURS(242, sched_getaffinity, "dux"),
    OURS(248, exit_group, "d"),
    HOST(250, epoll_create, "d"),
    OURS(251, epoll_ctl, "fdfx"),
    OURS_WAITS(252, epoll_wait, "fxdd", NOHAND, epoll_wait),
    OURS(256, set_tid_address, "x"),
    OURS(257, timer_create, "dxx"),
    OURS(258, timer_settime, "ddxx"),
    OURS(259, timer_gettime, "dx"),
    HOST(260, timer_getoverrun, "d"),
    HOST(261, timer_delete, "d"),
    OURS(262, clock_settime, "dx"),
    OURS(263, clock_gettime, "dx"),
    OURS(264, clock_getres, "dx"),
    OURS_WAITS(265, clock_nanosleep, "ddxx", NOHAND, clock_nanosleep),
    OURS(266, statfs64, "pux"),
    OURS(267, fstatfs64, "fux"),
    HOST(268, tgkill, "ddd"),
    OURS(269, utimes, "px"),
    OURS(270, arm_fadvise64_64, "fdqq"),
    OURS_WAITS(280, waitid, "ddxdx", WAITS, waitid),
    HOST(281, socket, "ddd"),
    HOST(282, bind, "f<u"),
    HOST_WAITS(283, connect, "f<u"),
    HOST(284, listen, "fd"),
    OURS_WAITS(285, accept, "fxx", WAITS, accept),
    OURS(286, getsockname, "fxx"),
    OURS(287, getpeername, "fxx"),
    HOST(288, socketpair, "dddW"),
    OURS_WAITS(289, send, "f<ux", WAITS, send),
    OURS_WAITS(290, sendto, "f<uxxu", WAITS, sendto),
    OURS_WAITS(291, recv, "fxux", WAITS, recv),
    OURS_WAITS(292, recvfrom, "fxuxxx", WAITS, recvfrom),
    HOST(293, shutdown, "fd"),
    OURS(294, setsockopt, "fddxu"),
    OURS(295, getsockopt, "fddxx"),
    OURS_WAITS(296, sendmsg, "fxx", WAITS, sendmsg),
    OURS_WAITS(297, recvmsg, "fxx", WAITS, recvmsg),
    HOST(316, inotify_init, ""),
    HOST(317, inotify_add_watch, "fpx"),
    HOST(318, inotify_rm_watch, "fd"),
    OURS_WAITS(322, openat, "Fpxo", WAITS, openat),
    HOST(323, mkdirat, "FPo"),
    HOST(324, mknodat, "FPou"),
    HOST(325, fchownat, "FPddx"),
    OURS(327, fstatat64, "Fpxx"),
    HOST(328, unlinkat, "FPx"),
    HOST(329, renameat, "FPFP"),
    HOST(330, linkat, "FPFPx"),
    HOST(331, symlinkat, "sFP"),
    OURS(332, readlinkat, "FPxu"),
    HOST(333, fchmodat, "Fpo"),
    HOST(334, faccessat, "Fpo"),
    OURS_WAITS(335, pselect6, "dxxxxx", NOHAND, pselect6),
    OURS_WAITS(336, ppoll, "xuxxu", NOHAND, ppoll),
    OURS(338, set_robust_list, "xu"),
    OURS(339, get_robust_list, "dxx"),
    HOST_WAITS(340, splice, "fWfWux"),
    OURS(341, sync_file_range2, "fxqq"),
    HOST_WAITS(342, tee, "ffux"),
    HOST(345, getcpu, "www"),
    OURS_WAITS(346, epoll_pwait, "fxddxu", NOHAND, epoll_pwait),
    OURS(348, utimensat, "Fpxx"),
    OURS(349, signalfd, "fxu"),
    HOST(350, timerfd_create, "dx"),
    HOST(351, eventfd, "u"),
    HOST_WAITS(352, fallocate, "fdqq"),
    OURS(353, timerfd_settime, "fdxx"),
    OURS(354, timerfd_gettime, "fx"),
    OURS(355, signalfd4, "fxux"),
    HOST(356, eventfd2, "ux"),
    HOST(357, epoll_create1, "x"),
    HOST(358, dup3, "ffx"),
    OURS(359, pipe2, "xx"),
    HOST(360, inotify_init1, "x"),
    OURS_WAITS(361, preadv, "fxuuu", WAITS, preadv),
    OURS_WAITS(362, pwritev, "fxuuu", WAITS, pwritev),
    OURS(363, rt_tgsigqueueinfo, "dddx"),
    OURS_WAITS(366, accept4, "fxxx", WAITS, accept4),
    HOST(369, prlimit64, "ddTt"),
    HOST(373, syncfs, "f"),
    OURS_WAITS(374, sendmmsg, "fxux", WAITS, sendmmsg),
    HOST(382, renameat2, "FPFPx"),
    HOST_WAITS(384, getrandom, ">ux"),
    HOST(385, memfd_create, "sx"),
    OURS(387, execveat, "Fpxxx"),
    HOST(389, membarrier, "dxd"),
    HOST_WAITS(391, copy_file_range, "fWfWux"),
    OURS_WAITS(392, preadv2, "fxuuux", WAITS, preadv),
    OURS_WAITS(393, pwritev2, "fxuuux", WAITS, pwritev),
    OURS(397, statx, "Fpxxx"),
    HOST_AS(403, clock_gettime64, "dt", clock_gettime),
    HOST_AS(404, clock_settime64, "dT", clock_settime),
    HOST_AS(406, clock_getres_time64, "dt", clock_getres),
    OURS_WAITS(407, clock_nanosleep_time64, "ddTt", NOHAND, clock_nanosleep_time64),
    OURS(408, timer_gettime64, "dx"),
    OURS(409, timer_settime64, "ddxx"),
    OURS(410, timerfd_gettime64, "fx"),
    OURS(411, timerfd_settime64, "fdxx"),
    OURS(412, utimensat_time64, "Fpxx"),
    OURS_WAITS(413, pselect6_time64, "dxxxxx", NOHAND, pselect6_time64),
    OURS_WAITS(414, ppoll_time64, "xuxxu", NOHAND, ppoll_time64),
    OURS_WAITS(421, rt_sigtimedwait_time64, "xxxu", NOHAND, rt_sigtimedwait_time64),
    OURS_WAITS(422, futex_time64, "xduxxu", WAITS, futex_time64),
    HOST_AS(423, sched_rr_get_interval_time64, "dt", sched_rr_get_interval),
    HOST(434, pidfd_open, "dx"),
    HOST(436, close_range, "uux"),
    HOST(439, faccessat2, "Fpox"),
    /* The ARM's own, above the rest. [Linux: arch/arm/include/uapi/asm/unistd.h] */
    OURS(0x0f0002, cacheflush, "xxx"),
    OURS(0x0f0005, set_tls, "x"),
    OURS(0x0f0006, get_tls, ""),
};
/* clang-format on */

/* Sorted by number, so that look-up halves. */
const struct syscall *syscall_find(uint32_t number)
{
    size_t low = 0, high = ARRAY_SIZE(table);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (table[middle].number == number)
            return &table[middle];
        if (table[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
