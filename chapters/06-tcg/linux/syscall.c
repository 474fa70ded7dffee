/*
 * syscall.c: from the guest's registers to the host's kernel and back. See syscall.h.
 *
 * The host's kernel gets pointers into the guest's window only: each comes from
 * space_host(), which has looked at every page between the first and the last byte.
 * What the kernel then finds there is the guest's own business, as on an ARM machine.
 */
#include "06-tcg/linux/syscall.h"

#include <errno.h>

#include "06-tcg/linux/path.h"
#include "06-tcg/linux/strace.h"

/* What a row's arguments become: six words for the host, and up to two paths. */
struct host_args {
    int64_t word[6];
    char paths[2][PATH_MAX];
    unsigned path_count;
};

/* A guest buffer as the kernel takes it. 0 or -EFAULT. */
static int convert_buffer(struct space *space, uint32_t address, uint64_t size, unsigned prot,
                          int64_t *word)
{
    void *host = space_host(space, address, size, prot);

    if (address == 0) { /* NULL: the kernel decides what that means */
        *word = 0;
        return size && prot ? -EFAULT : 0;
    }
    *word = (int64_t)(uintptr_t)host;
    return host ? 0 : -EFAULT;
}

/* NULL stays NULL; else size bytes must be there. */
static int convert_pointer(struct space *space, uint32_t address, uint64_t size, unsigned prot,
                           int64_t *word)
{
    return convert_buffer(space, address, address ? size : 0, prot, word);
}

static int convert_path(struct process *process, uint32_t address, bool follow,
                        struct host_args *host, int64_t *word)
{
    char *path = host->paths[host->path_count++];

    *word = (int64_t)(uintptr_t)path;
    return path_from_guest(process, address, follow, path);
}

/* [convert] */
static int convert(struct process *process, char letter, const uint32_t *arg,
                   struct host_args *host, int64_t *word)
{
    struct space *space = &process->space;

    switch (letter) {
    case 'd':
    case 'f':
    case 'F': *word = (int32_t)*arg; return 0;
    case 'q': *word = (int64_t)((uint64_t)arg[1] << 32 | arg[0]); return 0;
    case 'p': return convert_path(process, *arg, true, host, word);
    case 'P': return convert_path(process, *arg, false, host, word);
    case '<': return convert_buffer(space, *arg, arg[1], SPACE_READ, word);
    case '>': return convert_buffer(space, *arg, arg[1], SPACE_WRITE, word);
    case 's': return convert_pointer(space, *arg, 1, SPACE_READ, word);
    case 'w': return convert_pointer(space, *arg, 4, SPACE_READ | SPACE_WRITE, word);
    case 'W': return convert_pointer(space, *arg, 8, SPACE_READ | SPACE_WRITE, word);
    case 'T': return convert_pointer(space, *arg, 16, SPACE_READ, word);
    case 't': return convert_pointer(space, *arg, 16, SPACE_READ | SPACE_WRITE, word);
    default: *word = *arg; return 0;
    }
}
/* [/convert] */

static int64_t call_host(struct thread *thread, const struct syscall *row,
                         const uint32_t args[SYSCALL_ARGS])
{
    struct host_args host = {.path_count = 0};
    unsigned from = 0, to = 0;

    for (const char *letter = row->args; *letter; letter++) {
        int error;

        if (*letter == 'q')
            from += from % 2; /* 64-bit values start in an even register */
        error = convert(thread->process, *letter, &args[from], &host, &host.word[to++]);
        if (error)
            return error;
        from += *letter == 'q' ? 2 : 1;
    }
    return (row->flags ? host_call_waiting(thread, row->host, host.word[0], host.word[1],
                                           host.word[2], host.word[3], host.word[4], host.word[5])
                       : host_call(row->host, host.word[0], host.word[1], host.word[2],
                                   host.word[3], host.word[4], host.word[5]));
}

/* EINTR because of a signal the guest has not seen: whether to go on is for its handler. */
static int64_t interrupted(const struct thread *thread, const struct syscall *row, int64_t result)
{
    if (result != -ERESTARTSYS_ && (result != -EINTR || !thread->pending.number))
        return result;
    return row->flags & SYSCALL_NOHAND ? -ERESTARTNOHAND_ : -ERESTARTSYS_;
}

int64_t syscall_run(struct thread *thread)
{
    uint32_t args[SYSCALL_ARGS], number = thread->cpu.r[7];
    const struct syscall *row = syscall_find(number);
    char line[STRACE_LINE];
    int64_t result = -ENOSYS;

    for (unsigned i = 0; i < SYSCALL_ARGS; i++)
        args[i] = thread->cpu.r[i];
    thread->cpu.monitor.size = 0; /* as every exception does */
    strace_call(thread, row, number, args, line);
    if (row && (row->flags & SYSCALL_LEAVES))
        strace_result(thread, line, -ERETURNED_);
    if (row && row->function)
        result = row->function(thread, args);
    else if (row)
        result = call_host(thread, row, args);
    if (row && (row->flags & (SYSCALL_BLOCKS | SYSCALL_NOHAND)))
        result = interrupted(thread, row, result);
    strace_result(thread, line, result);
    if (result != -ERETURNED_ && result != -ERESTARTSYS_ && result != -ERESTARTNOHAND_)
        thread->cpu.r[0] = (uint32_t)result;
    return result;
}
