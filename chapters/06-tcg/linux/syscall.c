/*
 * syscall.c: from the guest's registers to the host's kernel and back. See syscall.h.
 *
 * The host's kernel gets pointers into the guest's window only: each comes from
 * space_host(), which has looked at every page between the first and the last byte.
 * What the kernel then finds there is the guest's own business, as on an ARM machine.
 */
#include "06-tcg/linux/syscall.h"

#include <ctype.h>
#include <errno.h>
#include <sys/socket.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/path.h"
#include "06-tcg/linux/strace.h"

/* What a row's pointers mean: they live as long as the call. */
struct host_args {
    char paths[2][PATH_MAX];
    unsigned path_count;
    struct iovec vector[IOV_MAX];
    struct pairs {
        int64_t number[2 * PAIRS_MAX];
        uint32_t address;
        unsigned count;
        bool wide, written;
    } pairs[2];
    unsigned pairs_count;
};

/* NULL: the kernel decides what that means. 0 or -EFAULT. */
static int convert_buffer(struct space *space, uint32_t address, uint64_t size, unsigned prot,
                          int64_t *word)
{
    void *host = address ? space_host(space, address, size, prot) : NULL;

    *word = host_pointer(host);
    return address && !host ? -EFAULT : 0;
}

static int convert_path(struct process *process, uint32_t address, bool follow,
                        struct host_args *host, int64_t *word)
{
    char *path = host->paths[host->path_count++];

    *word = host_pointer(path);
    return path_from_guest(process, address, follow, path);
}

/*
 * The kernel reads the size again, when another thread may have changed it. So what: it
 * writes no more than an address has, and faults where the guest may not write.
 */
static int convert_address(struct space *space, const uint32_t *arg, int64_t *word)
{
    uint32_t size = 0;

    if (arg[0] && space_read(space, arg[1], &size, sizeof size) < 0)
        return -EFAULT;
    if (size > sizeof(struct sockaddr_storage))
        size = sizeof(struct sockaddr_storage);
    return convert_buffer(space, arg[0], size, SPACE_WRITE, word);
}

/* Those that are written are read as well: the kernel may leave them as they are. */
static int convert_pairs(struct space *space, uint32_t address, const char *letter,
                         struct host_args *host, int64_t *word)
{
    struct pairs *pairs = &host->pairs[host->pairs_count++];

    pairs->address = address;
    pairs->count = (unsigned)(letter[1] - '0');
    pairs->wide = *letter == 't' || *letter == 'T';
    pairs->written = *letter == 'l' || *letter == 't';
    *word = host_pointer(address ? pairs->number : NULL);
    if (pairs->written && address &&
        !space_allows(space, address, pairs->count * (pairs->wide ? 16 : 8), SPACE_WRITE))
        return -EFAULT;
    return address ? convert_pairs_in(space, address, pairs->count, pairs->wide, pairs->number) : 0;
}

static int write_pairs(struct space *space, const struct host_args *host)
{
    for (unsigned i = 0; i < host->pairs_count; i++) {
        const struct pairs *p = &host->pairs[i];

        if (p->written && p->address &&
            convert_pairs_out(space, p->address, p->count, p->wide, p->number) < 0)
            return -EFAULT;
    }
    return 0;
}

/* [convert] */
static int convert(struct process *process, const char *letter, const uint32_t *arg,
                   struct host_args *host, int64_t *word)
{
    struct space *space = &process->space;

    switch (*letter) {
    case 'd':
    case 'f':
    case 'F': *word = (int32_t)*arg; return 0;
    case 'q':
    case 'Q': *word = (int64_t)((uint64_t)arg[1] << 32 | arg[0]); return 0;
    case 'p': return convert_path(process, *arg, true, host, word);
    case 'P': return convert_path(process, *arg, false, host, word);
    case '<': return convert_buffer(space, *arg, arg[1], SPACE_READ, word);
    case '>': return convert_buffer(space, *arg, arg[1], SPACE_WRITE, word);
    case 's': return convert_buffer(space, *arg, 1, SPACE_READ, word);
    case 'w': return convert_buffer(space, *arg, 4, SPACE_READ | SPACE_WRITE, word);
    case 'W': return convert_buffer(space, *arg, 8, SPACE_READ | SPACE_WRITE, word);
    case '@': return convert_address(space, arg, word);
    case 'v':
    case 'V':
        *word = host_pointer(host->vector);
        return convert_iovec(space, arg[0], arg[1], *letter == 'v' ? SPACE_READ : SPACE_WRITE,
                             host->vector);
    case 'l':
    case 'L':
    case 't':
    case 'T': return convert_pairs(space, *arg, letter, host, word);
    default: *word = *arg; return 0;
    }
}
/* [/convert] */

static int64_t call_host(struct thread *thread, const struct syscall *row,
                         const uint32_t args[SYSCALL_ARGS])
{
    int64_t word[6] = {0}, result;
    struct host_args host;
    unsigned from = 0, to = 0;
    int error;

    host.path_count = host.pairs_count = 0;
    for (const char *letter = row->args; *letter; letter++) {
        if (*letter == 'q')
            from += from % 2; /* 64-bit values start in an even register */
        error = convert(thread->process, letter, &args[from], &host, &word[to++]);
        if (error)
            return error;
        from += *letter == 'q' ? 2 : 1;
        if (isdigit((unsigned char)letter[1]))
            letter++;
    }
    result = row->flags ? host_syscall_waiting(thread, row->host, word)
                        : host_syscall(row->host, word);
    error = result < 0 ? 0 : write_pairs(&thread->process->space, &host);
    return error ? error : result;
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
        result = row->function(thread, row, args);
    else if (row)
        result = call_host(thread, row, args);
    if (row && (row->flags & (SYSCALL_BLOCKS | SYSCALL_NOHAND)))
        result = interrupted(thread, row, result);
    strace_result(thread, line, result);
    if (result != -ERETURNED_ && result != -ERESTARTSYS_ && result != -ERESTARTNOHAND_)
        thread->cpu.r[0] = (uint32_t)result;
    return result;
}
