/* sys.h: the functions behind the rows of syscall_table.c, by file. See syscall.h. */
#ifndef CHAPTER_06_LINUX_SYS_H
#define CHAPTER_06_LINUX_SYS_H

#include "06-tcg/linux/syscall.h"

/* sys_file.c */
SYSCALL_FUNCTION(open);
SYSCALL_FUNCTION(creat);
SYSCALL_FUNCTION(openat);
SYSCALL_FUNCTION(fcntl64);
SYSCALL_FUNCTION(readlink);
SYSCALL_FUNCTION(readlinkat);
SYSCALL_FUNCTION(_llseek);
SYSCALL_FUNCTION(readv);
SYSCALL_FUNCTION(writev);
SYSCALL_FUNCTION(preadv);
SYSCALL_FUNCTION(pwritev);
SYSCALL_FUNCTION(sendfile);
SYSCALL_FUNCTION(utimes);
SYSCALL_FUNCTION(utimensat);
SYSCALL_FUNCTION(utimensat_time64);
SYSCALL_FUNCTION(pipe2);
SYSCALL_FUNCTION(arm_fadvise64_64);
SYSCALL_FUNCTION(sync_file_range2);

/* sys_stat.c */
SYSCALL_FUNCTION(stat64);
SYSCALL_FUNCTION(lstat64);
SYSCALL_FUNCTION(fstat64);
SYSCALL_FUNCTION(fstatat64);
SYSCALL_FUNCTION(statx);
SYSCALL_FUNCTION(statfs64);
SYSCALL_FUNCTION(fstatfs64);

/* sys_memory.c */
SYSCALL_FUNCTION(brk);
SYSCALL_FUNCTION(mmap2);
SYSCALL_FUNCTION(munmap);
SYSCALL_FUNCTION(mprotect);
SYSCALL_FUNCTION(mremap);
SYSCALL_FUNCTION(msync);
SYSCALL_FUNCTION(madvise);
SYSCALL_FUNCTION(mincore);
SYSCALL_FUNCTION(mlock);
SYSCALL_FUNCTION(mlockall);
SYSCALL_FUNCTION(cacheflush);

/* sys_process.c */
SYSCALL_FUNCTION(exit);
SYSCALL_FUNCTION(exit_group);
SYSCALL_FUNCTION(fork);
SYSCALL_FUNCTION(vfork);
SYSCALL_FUNCTION(clone);
SYSCALL_FUNCTION(set_tid_address);
SYSCALL_FUNCTION(set_robust_list);
SYSCALL_FUNCTION(get_robust_list);
SYSCALL_FUNCTION(wait4);
SYSCALL_FUNCTION(waitid);
SYSCALL_FUNCTION(set_tls);
SYSCALL_FUNCTION(get_tls);

/* sys_exec.c */
SYSCALL_FUNCTION(execve);
SYSCALL_FUNCTION(execveat);

/* sys_signal.c */
SYSCALL_FUNCTION(rt_sigaction);
SYSCALL_FUNCTION(rt_sigprocmask);
SYSCALL_FUNCTION(rt_sigpending);
SYSCALL_FUNCTION(rt_sigsuspend);
SYSCALL_FUNCTION(rt_sigtimedwait);
SYSCALL_FUNCTION(rt_sigtimedwait_time64);
SYSCALL_FUNCTION(rt_sigqueueinfo);
SYSCALL_FUNCTION(rt_tgsigqueueinfo);
SYSCALL_FUNCTION(rt_sigreturn);
SYSCALL_FUNCTION(sigreturn);
SYSCALL_FUNCTION(sigaltstack);
SYSCALL_FUNCTION(pause);
SYSCALL_FUNCTION(signalfd);
SYSCALL_FUNCTION(signalfd4);

/* sys_time.c */
SYSCALL_FUNCTION(gettimeofday);
SYSCALL_FUNCTION(times);
SYSCALL_FUNCTION(nanosleep);
SYSCALL_FUNCTION(clock_gettime);
SYSCALL_FUNCTION(clock_settime);
SYSCALL_FUNCTION(clock_settime64);
SYSCALL_FUNCTION(clock_getres);
SYSCALL_FUNCTION(clock_nanosleep);
SYSCALL_FUNCTION(clock_nanosleep_time64);
SYSCALL_FUNCTION(getitimer);
SYSCALL_FUNCTION(setitimer);
SYSCALL_FUNCTION(timer_create);
SYSCALL_FUNCTION(timer_gettime);
SYSCALL_FUNCTION(timer_gettime64);
SYSCALL_FUNCTION(timer_settime);
SYSCALL_FUNCTION(timer_settime64);
SYSCALL_FUNCTION(timerfd_gettime);
SYSCALL_FUNCTION(timerfd_gettime64);
SYSCALL_FUNCTION(timerfd_settime);
SYSCALL_FUNCTION(timerfd_settime64);

/* sys_futex.c */
SYSCALL_FUNCTION(futex);
SYSCALL_FUNCTION(futex_time64);

/* sys_poll.c */
SYSCALL_FUNCTION(poll);
SYSCALL_FUNCTION(ppoll);
SYSCALL_FUNCTION(ppoll_time64);
SYSCALL_FUNCTION(_newselect);
SYSCALL_FUNCTION(pselect6);
SYSCALL_FUNCTION(pselect6_time64);
SYSCALL_FUNCTION(epoll_ctl);
SYSCALL_FUNCTION(epoll_wait);
SYSCALL_FUNCTION(epoll_pwait);

/* sys_socket.c */
SYSCALL_FUNCTION(accept);
SYSCALL_FUNCTION(accept4);
SYSCALL_FUNCTION(getsockname);
SYSCALL_FUNCTION(getpeername);
SYSCALL_FUNCTION(send);
SYSCALL_FUNCTION(sendto);
SYSCALL_FUNCTION(recv);
SYSCALL_FUNCTION(recvfrom);
SYSCALL_FUNCTION(setsockopt);
SYSCALL_FUNCTION(getsockopt);

/* sys_message.c */
SYSCALL_FUNCTION(sendmsg);
SYSCALL_FUNCTION(recvmsg);
SYSCALL_FUNCTION(sendmmsg);

/* sys_ioctl.c */
SYSCALL_FUNCTION(ioctl);

/* sys_system.c */
SYSCALL_FUNCTION(uname);
SYSCALL_FUNCTION(sysinfo);
SYSCALL_FUNCTION(getrusage);
SYSCALL_FUNCTION(setrlimit);
SYSCALL_FUNCTION(ugetrlimit);
SYSCALL_FUNCTION(prlimit64);
SYSCALL_FUNCTION(getgroups32);
SYSCALL_FUNCTION(setgroups32);
SYSCALL_FUNCTION(prctl);
SYSCALL_FUNCTION(personality);
SYSCALL_FUNCTION(sched_getaffinity);
SYSCALL_FUNCTION(sched_setaffinity);

#endif
