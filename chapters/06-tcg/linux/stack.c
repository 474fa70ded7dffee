/* stack.c: what a fresh program finds on its stack. See stack.h. */
#include "06-tcg/linux/stack.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unistd.h>

#include "06-tcg/linux/process.h"
#include "common/bits.h"
#include "common/die.h"

/* Grows downward; error sticks, so that it is looked at once. */
struct builder {
    struct space *space;
    uint32_t at, limit;
    int error;
};

static uint32_t push(struct builder *stack, const void *bytes, size_t size)
{
    if (stack->error || size > stack->at - stack->limit) {
        stack->error = -E2BIG;
        return stack->limit;
    }
    stack->at -= (uint32_t)size;
    if (space_write(stack->space, stack->at, bytes, size) < 0)
        stack->error = -E2BIG;
    return stack->at;
}

static uint32_t push_string(struct builder *stack, const char *text)
{
    return push(stack, text, strlen(text) + 1);
}

static void push_word(struct builder *stack, uint32_t word)
{
    push(stack, &word, sizeof word);
}

static unsigned count(char *const list[])
{
    unsigned n = 0;

    while (list[n])
        n++;
    return n;
}

/* Pushes the strings so that list[0] is lowest, as Linux does; the lowest address. */
static uint32_t push_strings(struct builder *stack, char *const list[])
{
    for (unsigned i = count(list); i-- > 0;)
        push_string(stack, list[i]);
    return stack->at;
}

/* Pushes a NULL-terminated array of pointers to the strings that start at first. */
static void push_pointers(struct builder *stack, char *const list[], uint32_t first)
{
    uint32_t end = first;

    push_word(stack, 0);
    for (unsigned i = 0; list[i]; i++)
        end += (uint32_t)strlen(list[i]) + 1;
    for (unsigned i = count(list); i-- > 0;) {
        end -= (uint32_t)strlen(list[i]) + 1;
        push_word(stack, end);
    }
}

int stack_build(struct process *process, const char *path, char *const argv[], char *const envp[],
                const struct elf_image *program, uint32_t interpreter_base, uint32_t *sp)
{
    uint32_t size = process->stack_high - process->stack_low;
    struct builder stack = {&process->space, process->stack_high, process->stack_high - size / 4,
                            0};
    uint8_t random_bytes[16] = {0};
    uint32_t execfn, env, arg, platform, random_at;
    size_t words;

    if (getrandom(random_bytes, sizeof random_bytes, 0) != sizeof random_bytes)
        die("getrandom failed: %s", strerror(errno)); /* a canary of zeros guards nothing */
    push_word(&stack, 0);
    execfn = push_string(&stack, path);
    env = push_strings(&stack, envp);
    process->arg_end = env;
    process->arg_start = arg = push_strings(&stack, argv);
    platform = push_string(&stack, "v5l");
    random_at = push(&stack, random_bytes, sizeof random_bytes);

    const uint32_t auxv[][2] = {
        {AT_HWCAP, HWCAP_ARMV5TE},
        {AT_PAGESZ, SPACE_PAGE_SIZE},
        {AT_CLKTCK, (uint32_t)sysconf(_SC_CLK_TCK)},
        {AT_PHDR, program->phdr},
        {AT_PHENT, sizeof(Elf32_Phdr)},
        {AT_PHNUM, program->phnum},
        {AT_BASE, interpreter_base},
        {AT_FLAGS, 0},
        {AT_ENTRY, program->entry},
        {AT_UID, getuid()},
        {AT_EUID, geteuid()},
        {AT_GID, getgid()},
        {AT_EGID, getegid()},
        {AT_SECURE, getauxval(AT_SECURE) != 0},
        {AT_RANDOM, random_at},
        {AT_HWCAP2, 0},
        {AT_EXECFN, execfn},
        {AT_PLATFORM, platform},
        {AT_NULL, 0},
    };

    /* argc and two terminators, beside the pointers; the total must leave sp aligned. */
    words = 3 + count(argv) + count(envp) + sizeof auxv / 4;
    stack.at = (uint32_t)align_down(stack.at, 8) - (words % 2 ? 4 : 0);
    process->auxv = push(&stack, auxv, sizeof auxv);
    process->auxv_size = sizeof auxv;
    push_pointers(&stack, envp, env);
    push_pointers(&stack, argv, arg);
    push_word(&stack, count(argv));
    *sp = stack.at;
    return stack.error;
}
