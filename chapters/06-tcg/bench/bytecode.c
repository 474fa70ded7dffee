/* An interpreter's loop: a switch that jumps by a table, once an instruction. */
#include <stdio.h>

enum { PUSH, ADD, SUB, MUL, DUP, SWAP, LOAD, STORE, JNZ, AND, HALT };

/* n = 9000000; s = 1; do { s = (s * 5 + n) & 0xffff; n = n - 1 } while (n); */
static const int program[] = {
    PUSH,   9000000, STORE, 0, PUSH, 1, STORE, 1, LOAD, 1,   PUSH,  5, MUL, LOAD, 0,    ADD, PUSH,
    0xffff, AND,     STORE, 1, LOAD, 0, PUSH,  1, SUB,  DUP, STORE, 0, JNZ, 8,    HALT,
};

int main(void)
{
    int stack[16], *top = stack, memory[2] = {0}, t;

    for (const int *pc = program;;)
        switch (*pc++) {
        case PUSH: *top++ = *pc++; break;
        case ADD:
            top--;
            top[-1] += *top;
            break;
        case SUB:
            top--;
            top[-1] -= *top;
            break;
        case MUL:
            top--;
            top[-1] = (int)((unsigned)top[-1] * (unsigned)*top);
            break;
        case AND:
            top--;
            top[-1] &= *top;
            break;
        case DUP:
            top[0] = top[-1];
            top++;
            break;
        case SWAP:
            t = top[-1];
            top[-1] = top[-2];
            top[-2] = t;
            break;
        case LOAD: *top++ = memory[*pc++]; break;
        case STORE: memory[*pc++] = *--top; break;
        case JNZ: pc = *--top ? program + *pc : pc + 1; break;
        default: printf("%d\n", memory[1]); return 0;
        }
}
