/* Memory: what mmap and its kin do, and refuse. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE   4096
#define MIDDLE ((char *)0x60000000)

static sigjmp_buf out;
static siginfo_t seen;

static void caught(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    seen = *info;
    siglongjmp(out, 1);
}

/* Does touching it fault, and how? 0: it does not. */
static int fault_at(volatile char *at, int write)
{
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    if (sigsetjmp(out, 1))
        return seen.si_addr == at ? seen.si_signo : -1;
    if (write)
        *at = 1;
    else
        (void)*at;
    return 0;
}

static void *map(void *at, size_t size, int flags)
{
    return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void mappings_come_and_go(void)
{
    char *at = map(MIDDLE, 3 * PAGE, MAP_FIXED);

    CHECK(at == MIDDLE && at[0] == 0 && at[3 * PAGE - 1] == 0);
    memset(at, 7, 3 * PAGE);
    CHECK(munmap(at + PAGE, PAGE) == 0);
    CHECK(at[PAGE - 1] == 7 && at[2 * PAGE] == 7);
    CHECK(fault_at(at + PAGE, 0) == SIGSEGV && seen.si_code == SEGV_MAPERR);
    CHECK(mprotect(at, PAGE, PROT_READ) == 0);
    CHECK(fault_at(at + 5, 0) == 0 && fault_at(at + 5, 1) == SIGSEGV);
    CHECK(seen.si_code == SEGV_ACCERR);
    CHECK(map(at, PAGE, MAP_FIXED) == at && at[0] == 0);
    CHECK_ERRNO((int)(intptr_t)map(at, PAGE, MAP_FIXED_NOREPLACE), EEXIST);
    CHECK(map(at, PAGE, 0) != at); /* a hint that is taken */
    CHECK(munmap(at, 3 * PAGE) == 0);
}

static void impossible_mappings_are_refused(void)
{
    CHECK_ERRNO((int)(intptr_t)map(NULL, 0, 0), EINVAL);
    CHECK_ERRNO((int)(intptr_t)map(NULL, 0xfffff000, 0), ENOMEM);
    CHECK_ERRNO((int)(intptr_t)map((void *)0xffff0000, PAGE, MAP_FIXED), ENOMEM);
    CHECK_ERRNO((int)(intptr_t)map(MIDDLE + 1, PAGE, MAP_FIXED), EINVAL);
    CHECK_ERRNO((int)(intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
    CHECK_ERRNO((int)(intptr_t)mmap(NULL, PAGE, PROT_READ, 0, -1, 0), EINVAL);
    CHECK_ERRNO(munmap(MIDDLE + 1, PAGE), EINVAL);
    CHECK_ERRNO(munmap(MIDDLE, 0), EINVAL);
    CHECK_ERRNO(munmap((void *)0xffff0000, PAGE), EINVAL);
    CHECK_ERRNO(mprotect(MIDDLE, PAGE, PROT_READ), ENOMEM);
    CHECK_ERRNO(mprotect((void *)0xffff0000, PAGE, PROT_READ | PROT_WRITE), ENOMEM);
    CHECK(fault_at((char *)0xffff0ffc, 1) == SIGSEGV);
    CHECK(fault_at((char *)0xfffff000, 0) == SIGSEGV);
    CHECK(fault_at(NULL, 0) == SIGSEGV);
}

static void files_are_mapped(void)
{
    char name[] = "/tmp/rarm-map-XXXXXX", *shared, *private;
    int fd = mkstemp(name);

    unlink(name);
    CHECK(ftruncate(fd, 2 * PAGE) == 0 && pwrite(fd, "hello", 5, PAGE) == 5);
    shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
    CHECK(memcmp(shared + PAGE, "hello", 5) == 0 && memcmp(private, "hello", 5) == 0);
    shared[PAGE] = 'j';
    CHECK(private[0] == 'j');
    private[0] = 'b';
    CHECK(shared[PAGE] == 'j');
    CHECK(msync(shared, 2 * PAGE, MS_SYNC) == 0);
    CHECK(ftruncate(fd, PAGE) == 0);
    CHECK(fault_at(shared + PAGE, 0) == SIGBUS && seen.si_code == BUS_ADRERR);
    CHECK_ERRNO(write(1, shared + PAGE, 1), EFAULT);
    close(fd);
}

static void mappings_move_and_grow(void)
{
    char *at = map(NULL, PAGE, 0), *bigger;

    strcpy(at, "moved");
    bigger = mremap(at, PAGE, 1024 * PAGE, MREMAP_MAYMOVE);
    CHECK(bigger != MAP_FAILED && strcmp(bigger, "moved") == 0);
    bigger[1024 * PAGE - 1] = 1;
    CHECK(mremap(bigger, 1024 * PAGE, PAGE, 0) == bigger);
    CHECK(fault_at(bigger + PAGE, 0) == SIGSEGV);
    CHECK(mremap(bigger, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, MIDDLE) == MIDDLE);
    CHECK(strcmp(MIDDLE, "moved") == 0 && fault_at(bigger, 0) == SIGSEGV);
    CHECK(madvise(MIDDLE, 2 * PAGE, MADV_DONTNEED) == 0 && MIDDLE[0] == 0);
    CHECK_ERRNO((int)(intptr_t)mremap(MIDDLE, PAGE, 0xfffff000, MREMAP_MAYMOVE), EINVAL);
    munmap(MIDDLE, 2 * PAGE);
}

static void the_heap_grows_to_a_limit(void)
{
    char *end = sbrk(0);

    CHECK(sbrk(5 * PAGE) == end);
    memset(end, 1, 5 * PAGE);
    CHECK(brk(end) == 0 && sbrk(0) == end);
    CHECK_ERRNO(brk((void *)0xfffff000), ENOMEM);
    CHECK(sbrk(0) == end);
}

static int recurse(int depth)
{
    volatile char frame[1024];

    frame[0] = (char)depth;
    return recurse(depth + 1) + frame[0];
}

static char other_stack[65536];

static void endless_recursion_is_a_fault(void)
{
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0);
    if (sigsetjmp(out, 1) == 0)
        recurse(0);
    CHECK(seen.si_signo == SIGSEGV);
}

static void wild_pointers_are_efault(void)
{
    CHECK_ERRNO(read(0, (void *)0xffffffff, 0x7fffffff), EFAULT);
    CHECK_ERRNO(write(1, (void *)0xffffffff, 0xffffffff), EFAULT);
    CHECK_ERRNO(write(1, NULL, 1), EFAULT);
    CHECK_ERRNO(uname((struct utsname *)0xfffffff0), EFAULT);
    CHECK_ERRNO(open((char *)0xfffffffe, O_RDONLY), EFAULT);
    CHECK_ERRNO(syscall(0x7fffffff), ENOSYS);
    CHECK_ERRNO(syscall(-1), ENOSYS);
    CHECK_ERRNO(syscall(12345, -1, -1, -1, -1, -1, -1), ENOSYS);
}

/* A mapping whose permission to execute goes away under the program's feet. */
static void code_that_vanishes_faults_exactly(void)
{
    uint32_t *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
    int (*function)(void) = (int (*)(void))code;

    code[0] = 0xe3a0002a; /* mov r0, #42 */
    code[1] = 0xe12fff1e; /* bx lr */
    __builtin___clear_cache((char *)code, (char *)(code + 2));
    CHECK(function() == 42);
    code[0] = 0xe3a0002b;
    __builtin___clear_cache((char *)code, (char *)(code + 2));
    CHECK(function() == 43);
    /* New code by way of a system call. */
    int ends[2];
    uint32_t word = 0xe3a0002c;
    CHECK(pipe(ends) == 0 && write(ends[1], &word, 4) == 4 && read(ends[0], code, 4) == 4);
    __builtin___clear_cache((char *)code, (char *)(code + 2));
    CHECK(function() == 44);
    CHECK(mprotect(code, PAGE, PROT_READ) == 0);
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(out, 1) == 0)
        function();
    CHECK(seen.si_signo == SIGSEGV && seen.si_code == SEGV_ACCERR && seen.si_addr == code);
    munmap(code, PAGE);
    if (sigsetjmp(out, 1) == 0)
        function();
    CHECK(seen.si_code == SEGV_MAPERR && seen.si_addr == code);
}

/* System V: a child sees the segment, and waits on a semaphore until the parent has written. */
static void segments_are_shared(void)
{
    int id = shmget(IPC_PRIVATE, PAGE + 1, IPC_CREAT | 0600), status = 0;
    int set = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
    struct sembuf down = {1, -1, 0}, up = {1, 1, 0};
    struct shmid_ds info;
    char *at = shmat(id, NULL, 0), *fixed;
    pid_t child;

    CHECK(at != (void *)-1 && at[0] == 0 && at[PAGE] == 0);
    fixed = shmat(id, MIDDLE + 5, SHM_RND | SHM_RDONLY);
    CHECK(fixed == MIDDLE && fault_at(fixed, 1) == SIGSEGV);
    CHECK_ERRNO((int)(intptr_t)shmat(id, MIDDLE, 0), EINVAL); /* taken */
    child = fork();
    if (child == 0) {
        CHECK(semop(set, &down, 1) == 0);
        at[1] = at[0];
        _exit(shmdt(at));
    }
    at[0] = 'x';
    CHECK(semctl(set, 1, SETVAL, 0) == 0 && semop(set, &up, 1) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(fixed[1] == 'x' && semctl(set, 1, GETVAL) == 0);
    CHECK(shmctl(id, IPC_STAT, &info) == 0 && info.shm_segsz == PAGE + 1);
    CHECK(info.shm_nattch == 2 && info.shm_cpid == getpid());
    CHECK(shmdt(fixed) == 0 && fault_at(fixed, 0) == SIGSEGV);
    CHECK_ERRNO(shmdt(fixed), EINVAL);
    CHECK(shmdt(at) == 0);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0);
}

/* Two addresses, one word: who has stored through the one must see it through the other. */
static __attribute__((noinline)) int store_twice(volatile int *middle)
{
    middle[-PAGE / 8] = 1;
    middle[PAGE / 8] = 2;
    return middle[-PAGE / 8];
}

static __attribute__((noinline)) int load_again(volatile int *middle)
{
    int before = middle[-PAGE / 8];

    middle[PAGE / 8] = before + 5;
    return middle[-PAGE / 8] - before;
}

static void a_page_is_mapped_twice_side_by_side(void)
{
    int fd = (int)syscall(SYS_memfd_create, "ring", 0);
    char *ring = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0 && ring != MAP_FAILED);
    for (int n = 0; n < 2; n++)
        CHECK(mmap(ring + n * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
              ring + n * PAGE);
    for (int turn = 0; turn < 20; turn++) { /* the first ones are interpreted */
        CHECK(store_twice((int *)(void *)(ring + PAGE / 2 + 64)) == 2);
        CHECK(load_again((int *)(void *)(ring + PAGE / 2 + 64)) == 5);
    }
    CHECK(munmap(ring, 2 * PAGE) == 0 && close(fd) == 0);
}

int main(void)
{
    mappings_come_and_go();
    impossible_mappings_are_refused();
    files_are_mapped();
    mappings_move_and_grow();
    segments_are_shared();
    a_page_is_mapped_twice_side_by_side();
    the_heap_grows_to_a_limit();
    endless_recursion_is_a_fault();
    wild_pointers_are_efault();
    code_that_vanishes_faults_exactly();
    puts("memory: ok");
    return 0;
}
