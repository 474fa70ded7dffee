/*
 * sandbox_lists.c: see sandbox_lists.h. Open at hand: syscalls(2), ioctl(2).
 *
 * The kernel looks for a call from the first row to the last, before each call that a thread
 * makes. So what is made most often comes first: KVM_RUN, before all else.
 *
 * A new thread starts with the list of the one that made it, and enters its own in addition.
 * So the main thread's list holds all that a processor or a device needs. The user network's
 * thread is the exception: it starts earlier, for it may do what no other may, open sockets.
 */
#define _GNU_SOURCE
#include "07-linux-boot/sandbox_lists.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/vhost.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* The columns. */
#define M          BIT(THREAD_MAIN)
#define P          BIT(THREAD_PROCESSOR)
#define D          BIT(THREAD_DEVICE)
#define N          BIT(THREAD_NETWORK)
#define C          BIT(SANDBOX_CLERK)

#define CALL(what) .number = SYS_##what, .name = #what
#define WANTS(which, wanted)                                                                       \
    .argument = which, .value = (uint32_t)(wanted), .bits = UINT32_MAX, .note = #wanted

const struct sandbox_row sandbox_rows[] = {
    /* requests: of KVM, of terminals, of an interface */
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_RUN)},
    {CALL(ioctl), .kinds = N, WANTS(1, FIONREAD)},
    {CALL(ioctl), .kinds = M | P | D, WANTS(1, TUNSETOFFLOAD)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, VHOST_SET_VRING_CALL)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, VHOST_SET_FEATURES)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, VHOST_SET_MEM_TABLE)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, VHOST_SET_VRING_NUM)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, VHOST_SET_VRING_BASE)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, VHOST_SET_VRING_ADDR)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, VHOST_SET_VRING_KICK)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, VHOST_NET_SET_BACKEND)},
    {CALL(ioctl), .kinds = M | P | D | N, WANTS(1, TCGETS)},
    {CALL(ioctl), .kinds = M | P | D | N, WANTS(1, TCSETS)},
    {CALL(ioctl), .kinds = M, WANTS(1, TCSETSW)},
    /* ... and what glibc makes of tcgetattr() and tcsetattr() since 2.42 */
    {CALL(ioctl), .kinds = M | P | D | N, WANTS(1, TCGETS2)},
    {CALL(ioctl), .kinds = M | P | D | N, WANTS(1, TCSETS2)},
    {CALL(ioctl), .kinds = M, WANTS(1, TCSETSW2)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, TIOCGWINSZ)},
    {CALL(ioctl), .kinds = M, WANTS(1, TIOCGPTN)},
    {CALL(ioctl), .kinds = M | P | D, WANTS(1, KVM_IRQ_LINE)},
    {CALL(ioctl), .kinds = M | P | D, WANTS(1, KVM_SIGNAL_MSI)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_SET_GSI_ROUTING)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_IRQFD)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_IOEVENTFD)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_GET_MP_STATE)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_GET_VCPU_EVENTS)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_GET_REGS)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_GET_SREGS)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_TRANSLATE)},
    {CALL(ioctl), .kinds = M | P, WANTS(1, KVM_NMI)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_GET_API_VERSION)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_CHECK_EXTENSION)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_CREATE_VM)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_IDENTITY_MAP_ADDR)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_TSS_ADDR)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_USER_MEMORY_REGION)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_CREATE_IRQCHIP)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_GET_IRQCHIP)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_IRQCHIP)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_CREATE_PIT2)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_CREATE_VCPU)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_GET_VCPU_MMAP_SIZE)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_GET_SUPPORTED_CPUID)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_CPUID2)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_GET_MSRS)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_MSRS)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_GET_TSC_KHZ)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_GET_XSAVE)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_XSAVE)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_GUEST_DEBUG)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_REGS)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_SET_SREGS)},
    {CALL(ioctl), .kinds = M, WANTS(1, KVM_REGISTER_COALESCED_MMIO)},
    /* to wait, to be woken, to wake others */
    {CALL(futex), .kinds = M | P | D | N},
    {CALL(poll), .kinds = M | P | D | N},
    {CALL(epoll_create1), .kinds = M},
    {CALL(epoll_ctl), .kinds = M | P},
    {CALL(epoll_wait), .kinds = M | P},
    {CALL(clock_gettime), .kinds = M | P | D | N},
    {CALL(clock_nanosleep), .kinds = M | P | D | N},
    /* The kernel's own way to go on with one of these after a stop. */
    {CALL(restart_syscall), .kinds = M | P | D | N},
    {CALL(timerfd_settime), .kinds = M | P},
    {CALL(tgkill), .kinds = M | P, .argument = 0, .value = 0, .bits = UINT32_MAX,
     .note = "this process", .self = true},
    {CALL(getpid), .kinds = M | P},
    {CALL(rt_sigreturn), .kinds = M | P | D | N},
    {CALL(rt_sigprocmask), .kinds = M | P | D | N},
    /* the other side of devices: descriptors that are open */
    {CALL(read), .kinds = M | P | D | N},
    {CALL(write), .kinds = M | P | D | N},
    {CALL(readv), .kinds = M | P | D | N},
    {CALL(writev), .kinds = M | P | D | N},
    {CALL(pread64), .kinds = M | D},
    {CALL(pwrite64), .kinds = M | P | D},
    {CALL(preadv), .kinds = M | P | D},
    {CALL(preadv2), .kinds = M | D},
    {CALL(pwritev), .kinds = M | P | D},
    {CALL(fallocate), .kinds = M | D},
    {CALL(fdatasync), .kinds = M | D},
    {CALL(fsync), .kinds = M | D},
    {CALL(ftruncate), .kinds = M | D},
    {CALL(io_uring_enter), .kinds = M | P | D},
    {CALL(sendto), .kinds = M | P | D | N},
    {CALL(sendmsg), .kinds = M | P | D | N | C},
    {CALL(recvfrom), .kinds = M | P | D | N | C},
    {CALL(getrandom), .kinds = M | P | D | N},
    /* malloc() and free(); memory that the guest gives back */
    {CALL(brk), .kinds = M | P | D | N},
    {CALL(munmap), .kinds = M | P | D | N},
    {CALL(mremap), .kinds = M | P | D | N},
    {CALL(sysinfo), .kinds = M}, /* qsort(): is there memory for a faster way? */
    {CALL(madvise), .kinds = M | P | D | N},
    /* to end */
    {CALL(exit), .kinds = M | P | D | N},
    {CALL(exit_group), .kinds = M | P | D | N | C},
    /* to build a machine, and to take it apart: at a reset this is done again */
    {CALL(close), .kinds = M | P | N | C},
    {CALL(clone), .kinds = M, 0, CLONE_VM | CLONE_THREAD, CLONE_VM | CLONE_THREAD, "a thread"},
    /* Its flags are in memory. The C library takes clone() if it hears this. */
    {CALL(clone3), .kinds = 0, .mildly = M, .error = ENOSYS},
    {CALL(set_robust_list), .kinds = M},
    {CALL(rseq), .kinds = M},
    {CALL(seccomp), .kinds = M},
    {CALL(eventfd2), .kinds = M},
    {CALL(timerfd_create), .kinds = M},
    {CALL(signalfd4), .kinds = M},
    {CALL(rt_sigaction), .kinds = M},
    {CALL(rt_sigpending), .kinds = M},
    {CALL(gettid), .kinds = M},
    {CALL(newfstatat), .kinds = M | N | C}, /* fstat(), until glibc 2.38 */
    {CALL(fstat), .kinds = M | N | C},
    {CALL(lseek), .kinds = M | D},
    {CALL(accept4), .kinds = M},
    {CALL(dup2), .kinds = M},
    /* connections in the guest's name; a chardev's, again (the clerk's) */
    {CALL(socket), .kinds = N | C, WANTS(0, AF_INET)},
    {CALL(socket), .kinds = N | C, WANTS(0, AF_INET6)},
    {CALL(socket), .kinds = C, WANTS(0, AF_UNIX)},
    {CALL(connect), .kinds = N | C},
    {CALL(bind), .kinds = N},
    {CALL(listen), .kinds = N},
    {CALL(accept), .kinds = N},
    {CALL(shutdown), .kinds = M | N},
    {CALL(getsockname), .kinds = N},
    {CALL(getpeername), .kinds = N},
    {CALL(getsockopt), .kinds = N},
    {CALL(setsockopt), .kinds = M | N},
    {CALL(recvmsg), .kinds = M | N},
    /* files, for those who have none */
    {CALL(openat2), .kinds = C},
    {CALL(readlink), .kinds = C},
    {CALL(getcwd), .kinds = C},
    {CALL(faccessat), .kinds = C},
    {CALL(faccessat2), .kinds = C},
    {CALL(unlink), .kinds = C, .mildly = M, .error = EACCES},
    /* memory that is data, descriptors, a name */
    {CALL(mmap), .kinds = M | P | D | N, .argument = 2, .value = 0, .bits = PROT_EXEC,
     .note = "not PROT_EXEC"},
    {CALL(mprotect), .kinds = M | P | D | N, .argument = 2, .value = 0, .bits = PROT_EXEC,
     .note = "not PROT_EXEC"},
    {CALL(sched_setscheduler), .kinds = M | D, WANTS(1, SCHED_OTHER)},
    {CALL(sched_setscheduler), .kinds = M | D, WANTS(1, SCHED_BATCH)},
    {CALL(prctl), .kinds = M | P | D | N, WANTS(0, PR_GET_NAME)},
    {CALL(prctl), .kinds = M, WANTS(0, PR_SET_NAME)},
    {CALL(fcntl), .kinds = M, WANTS(1, F_DUPFD_CLOEXEC)},
    {CALL(fcntl), .kinds = M, WANTS(1, F_OFD_SETLK)},
    {CALL(fcntl), .kinds = M | N, WANTS(1, F_GETFL)},
    {CALL(fcntl), .kinds = M | N, WANTS(1, F_SETFL)},
    {CALL(fcntl), .kinds = N, WANTS(1, F_SETFD)},
    {CALL(openat), .kinds = N, .argument = 2, .value = O_RDONLY,
     .bits = O_ACCMODE | O_CREAT | O_TRUNC, .note = "O_RDONLY", .mildly = M, .error = EACCES},
};

const size_t sandbox_row_count = ARRAY_SIZE(sandbox_rows);
