/*
 * process.c: one guest process, its threads, and the loop that runs them. See
 * process.h.
 *
 *   0xffff0000  the kernel's helper page
 *   0xf0000000  stack, downward; its size is the host's limit
 *               mmap(), highest hole first; a PT_INTERP's segments among it
 *               brk(), upward from the program's end
 *   as linked   the program; a position-independent one at 0x00400000
 *
 * Left out on purpose: randomized addresses. The same program runs the same way each
 * time, which is what a student (and a differential test) wants.
 */
#include "06-tcg/linux/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "06-tcg/linux/helper.h"
#include "06-tcg/linux/path.h"
#include "06-tcg/linux/robust.h"
#include "06-tcg/linux/signal.h"
#include "06-tcg/linux/stack.h"
#include "06-tcg/linux/syscall.h"
#include "common/bits.h"
#include "common/die.h"

#define PIE_BASE      0x00400000u
#define STACK_DEFAULT (8u << 20)
#define STACK_LIMIT   (256u << 20)
#define STACK_GAP     (1u << 20) /* below the stack: overflowing it finds nothing mapped */

_Thread_local struct thread *thread_current;

/* ---- the start -------------------------------------------------------------------- */

/* Opens and judges a program or its interpreter. The descriptor, or -errno. */
static int open_program(struct process *process, const char *path, struct elf_file *file,
                        struct refusal *refusal)
{
    char host[PATH_MAX];
    struct stat info;
    int fd, error = path_to_host(process, path, true, host);

    fd = error ? error : open(host, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(refusal, error ? error : -errno, "cannot open: %s",
                      strerror(error ? -error : errno));
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return refuse(refusal, -EACCES, "not a regular file");
    }
    error = elf_check(file, fd, (uint64_t)info.st_size, refusal);
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

static int map_program(struct process *process, const char *path, struct elf_file *file,
                       struct refusal *refusal)
{
    int fd = open_program(process, path, file, refusal), error;

    if (fd < 0)
        return fd;
    error = elf_map(&process->space, file, fd, file->relocatable ? PIE_BASE - file->low : 0,
                    process->stack_low, &process->image, refusal);
    close(fd);
    return error;
}

/* The dynamic linker goes where mmap() would put it. */
static int map_interpreter(struct process *process, const char *path, struct elf_image *image,
                           struct refusal *refusal)
{
    static struct elf_file file; /* large; used once, before there are threads */
    int fd = open_program(process, path, &file, refusal), error = 0;
    uint32_t place = 0;

    if (fd < 0)
        return fd;
    if (file.interpreter[0])
        error = refuse(refusal, -ENOEXEC, "PT_INTERP: an interpreter with an interpreter");
    else if (file.relocatable)
        place = space_find_free(&process->space, file.high - file.low, PROCESS_MMAP_LOW,
                                process->mmap_high) -
                file.low;
    if (!error)
        error = elf_map(&process->space, &file, fd, place, process->stack_low, image, refusal);
    close(fd);
    return error;
}

static int map_stack(struct process *process)
{
    struct rlimit limit;
    uint64_t size = process->options.stack_size;

    if (!size && getrlimit(RLIMIT_STACK, &limit) == 0)
        size = limit.rlim_cur == RLIM_INFINITY ? STACK_DEFAULT : limit.rlim_cur;
    if (size > STACK_LIMIT)
        size = STACK_LIMIT;
    if (size < 16 * SPACE_PAGE_SIZE)
        size = 16 * SPACE_PAGE_SIZE;
    size = align_up(size, SPACE_PAGE_SIZE);
    process->stack_high = PROCESS_STACK_TOP;
    process->stack_low = PROCESS_STACK_TOP - (uint32_t)size;
    process->mmap_high = process->stack_low - STACK_GAP;
    return space_map(&process->space, process->stack_low, size, SPACE_READ | SPACE_WRITE, false, -1,
                     0);
}

/* The path as /proc/self/exe shows it: absolute. */
static void note_exe(struct process *process, const char *path)
{
    char directory[PATH_MAX];

    if (path[0] == '/' || !getcwd(directory, sizeof directory) ||
        (size_t)snprintf(process->exe, sizeof process->exe, "%s/%s", directory, path) >=
            sizeof process->exe)
        snprintf(process->exe, sizeof process->exe, "%s", path);
}

static bool start(struct process *process, struct thread *thread, const char *path,
                  char *const argv[], char *const envp[], struct refusal *refusal)
{
    static struct elf_file file;
    struct elf_image interpreter = {0};
    uint32_t sp = 0, entry;
    int error = map_stack(process);

    if (!error)
        error = helper_map(&process->space);
    if (error)
        return refuse(refusal, error, "no stack: %s", strerror(-error)), false;
    if (map_program(process, path, &file, refusal) < 0)
        return false;
    process->exec_readable = file.exec_stack;
    if (file.exec_stack)
        space_protect(&process->space, process->stack_low, process->stack_high - process->stack_low,
                      SPACE_READ | SPACE_WRITE | SPACE_EXEC);
    process->brk_start = process->brk = process->image.end;
    entry = process->image.entry;
    if (file.interpreter[0]) {
        if (map_interpreter(process, file.interpreter, &interpreter, refusal) < 0) {
            struct refusal why = *refusal;

            refuse(refusal, 0, "its interpreter %.200s: %.160s (is -L right?)", file.interpreter,
                   why.text);
            return false;
        }
        entry = interpreter.entry;
    }
    if (stack_build(process, path, argv, envp, &process->image, interpreter.base, &sp) < 0)
        return refuse(refusal, -E2BIG, "its arguments and environment do not fit on its stack"),
               false;
    thread->cpu.thumb = entry & 1;
    thread->cpu.r[ARM_PC] = entry & ~UINT32_C(1);
    thread->cpu.r[ARM_SP] = sp;
    return true;
}

bool process_start(struct process *process, struct thread *thread, const char *path,
                   char *const argv[], char *const envp[], struct refusal *refusal)
{
    pthread_mutex_init(&process->lock, NULL);
    process->threads = 1;
    note_exe(process, path);
    /* What ps shows: the guest's program, not the translator. */
    prctl(PR_SET_NAME, strrchr(process->exe, '/') ? strrchr(process->exe, '/') + 1 : path);
    thread->process = process;
    thread->cpu.space = &process->space;
    thread->cpu.budget = UINT64_MAX;
    return start(process, thread, path, argv, envp, refusal);
}

/* ---- the loop --------------------------------------------------------------------- */

/* A fault of the engine's own memory access: mapped says which of two codes it is. */
static void fault(struct thread *thread, const struct arm_stop *stop)
{
    uint8_t flags = space_flags(&thread->process->space, stop->address);
    uint8_t needed = stop->access == ARM_WRITE     ? SPACE_WRITE
                     : stop->access == ARM_EXECUTE ? SPACE_EXEC
                                                   : SPACE_READ;

    if (stop->unaligned)
        signal_force(thread, SIGBUS, BUS_ADRALN, stop->address);
    else if (flags & needed) /* it was allowed, and yet: the file behind it is shorter */
        signal_force(thread, SIGBUS, BUS_ADRERR, stop->address);
    else
        signal_force(thread, SIGSEGV, flags ? SEGV_ACCERR : SEGV_MAPERR, stop->address);
}

/*
 * A guest that dies of this should know why: it may be us who lack the instruction. One
 * that has a handler is only asking what its processor can do.
 */
static void undefined(struct thread *thread, const struct arm_stop *stop)
{
    if (!signal_has_handler(thread, SIGILL))
        warn("no %s instruction 0x%0*x at 0x%08x: SIGILL", thread->cpu.thumb ? "Thumb" : "ARM",
             thread->cpu.thumb && stop->value <= 0xffff ? 4 : 8, stop->value,
             thread->cpu.r[ARM_PC]);
    signal_force(thread, SIGILL, ILL_ILLOPC, thread->cpu.r[ARM_PC]);
}

/* Deals with one stop. */
static void settle(struct thread *thread, struct arm_stop stop)
{
    struct arm_cpu *cpu = &thread->cpu;

    if (stop.reason == ARM_HELPER_PAGE && helper_call(cpu, &stop))
        return;
    switch (stop.reason) {
    case ARM_SVC: {
        uint32_t size = cpu->thumb ? 2 : 4;
        int64_t result = syscall_run(thread);

        if (result == -ERESTARTSYS_ || result == -ERESTARTNOHAND_)
            signal_deliver(thread, result, size);
        break;
    }
    case ARM_FAULT: fault(thread, &stop); break;
    case ARM_UNDEFINED: undefined(thread, &stop); break;
    case ARM_BREAKPOINT: signal_force(thread, SIGTRAP, TRAP_BRKPT, cpu->r[ARM_PC]); break;
    case ARM_HELPER_PAGE:
    case ARM_INTERRUPTED:
    case ARM_BUDGET: break;
    }
    if (stop.reason == ARM_BUDGET)
        cpu->budget = UINT64_MAX;
}

/* [loop] */
void thread_run(struct thread *thread)
{
    struct engine *engine = &thread->process->engine;

    thread_current = thread;
    signal_apply_mask(thread);
    for (;;) {
        if (thread->pending.number)
            signal_deliver(thread, 0, 0);
        settle(thread, engine->run(engine->self, &thread->cpu));
    }
}
/* [/loop] */

/* ---- the end ---------------------------------------------------------------------- */

void process_exit(int status)
{
    struct engine *engine = thread_current ? &thread_current->process->engine : NULL;

    if (engine && engine->finish && !thread_current->is_vfork_child)
        engine->finish(engine->self);
    host_call(SYS_exit_group, status);
    abort(); /* not reached */
}

void thread_exit(struct thread *thread, int status)
{
    struct process *process = thread->process;
    uint32_t zero = 0, tid_address = thread->clear_child_tid;
    int left;

    if (thread->is_vfork_child)
        process_exit(status);
    pthread_mutex_lock(&process->lock);
    left = --process->threads;
    pthread_mutex_unlock(&process->lock);
    if (left == 0)
        process_exit(status);
    signal_block_all();
    thread_current = NULL;
    robust_list_exit(thread);
    /* What pthread_join() waits for. [clone(2), CLONE_CHILD_CLEARTID] */
    if (tid_address && space_write(&process->space, tid_address, &zero, sizeof zero) == 0)
        host_call(SYS_futex, host_pointer(space_at(&process->space, tid_address)),
                  1 /* FUTEX_WAKE */, 1);
    free(thread);
    pthread_exit(NULL);
}
