/* syscall_table.c: the rows of syscall_rows.h as a table, and look-up in it. See syscall.h. */
#include <stddef.h>
#include <sys/syscall.h>

#include "06-tcg/linux/sys.h"
#include "common/bits.h"

#define WAITS  SYSCALL_BLOCKS
#define NOHAND SYSCALL_NOHAND
#define LEAVES SYSCALL_LEAVES
#define WIDE   SYSCALL_WIDE

/* Without flags, what is left of them is the comma. */
/* clang-format off */
#define HOST(number, name, args, ...)          {number, #name, args, SYS_##name, .function = NULL, __VA_ARGS__},
#define HOST_AS(number, name, args, host, ...) {number, #name, args, SYS_##host, .function = NULL, __VA_ARGS__},
#define OURS(number, name, args, ...)          {number, #name, args, -1, .function = sys_##name, __VA_ARGS__},
#define OURS_AS(number, name, args, ours, ...) {number, #name, args, -1, .function = sys_##ours, __VA_ARGS__},
/* clang-format on */

static const struct syscall table[] = {
#include "06-tcg/linux/syscall_rows.h"
};

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
