/*
 * arm-board: runs a flat ARM payload on a board of our own. See board.h.
 *
 *     arm-board [PAYLOAD]        the built-in guest says hello, if none is given
 *
 * What the payload writes to the serial port is printed; what is typed is received.
 * Exit status: 0 when the payload ends itself, 1 if the host refuses, 4 if the payload
 * did something that nobody can go on from.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "06-tcg/arm/interpret.h"
#include "06-tcg/board/board.h"
#include "common/die.h"
#include "common/embed.h"
#include "common/file.h"

EMBED(hello, "06-tcg/hello.bin");

static size_t print(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    return fwrite(bytes, 1, count, stdout);
}

static int64_t now(void *self)
{
    struct timespec time;

    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* The engine, but before it a look at what was typed: the guest has stopped anyway. */
static struct arm_stop run(void *self, struct arm_cpu *cpu)
{
    struct pl011 *uart = self;
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    uint8_t byte;

    if (uart->count < PL011_FIFO && poll(&input, 1, 0) == 1 && read(input.fd, &byte, 1) == 1)
        pl011_receive(uart, &byte, 1);
    return arm_run(cpu);
}

static void load(struct board *board, const char *path)
{
    struct refusal why;
    uint8_t *bytes;
    size_t size;

    if (!path) {
        memcpy(space_at(&board->space, BOARD_RAM), hello, (size_t)(hello_end - hello));
        return;
    }
    if (file_read_all(path, BOARD_RAM_SIZE, &bytes, &size, &why) < 0)
        die("%s: %s", path, why.text);
    memcpy(space_at(&board->space, BOARD_RAM), bytes, size);
    free(bytes);
}

static void explain(const struct board *board, const struct arm_stop *stop)
{
    static const char *const reasons[] = {"a system call, but here is no system",
                                          "no such instruction",
                                          "no memory and no device",
                                          "a breakpoint",
                                          "a jump to Linux's helper page, but here is no Linux",
                                          "interrupted",
                                          "out of time"};

    fprintf(stderr, "arm-board: %s: at 0x%08x, address 0x%08x, value 0x%08x\n",
            reasons[stop->reason], board->cpu.r[ARM_PC], stop->address, stop->value);
}

int main(int argc, char **argv)
{
    static struct board board;
    struct arm_stop stop;
    int error;

    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

        fputs("usage: arm-board [PAYLOAD]\n"
              "Runs a flat ARM binary at 0x10000, with a PL011 at 0x101f1000 and SP804\n"
              "timers at 0x101e2000. SVC 0x123456 with R0 = 0x18 ends it.\n",
              help ? stdout : stderr);
        return !help;
    }
    error = board_init(&board, (struct byte_sink){print, NULL}, (struct clock){now, NULL});
    if (error)
        die("no room for the guest's address space: %s", strerror(-error));
    load(&board, argv[1]);
    if (board_run(&board, run, &board.uart, &stop)) {
        board_free(&board);
        return 0;
    }
    fflush(stdout);
    explain(&board, &stop);
    board_free(&board);
    return 4;
}
