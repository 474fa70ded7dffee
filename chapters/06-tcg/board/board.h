/*
 * board.h: a computer around the ARM processor: memory, a serial port, a timer.
 *
 * The addresses are those of Arm's Versatile board, as far as we have it, so the same
 * payload runs under "qemu-system-arm -M versatilepb -kernel".
 *
 *     0x00010000  RAM, 1 MiB; the payload begins here, and so does the processor
 *     0x101e2000  timers: two SP804 counters
 *     0x101f1000  serial port: a PL011
 *
 * The processor knows nothing of devices. An access to an address without memory is a
 * fault, the engine stops, and the board executes that one instruction itself, with
 * the bus in the place of memory. It is how chapter 3 did MMIO, and it works with
 * either engine. Left out: interrupts, because the processor is that of user mode.
 *
 * A payload ends itself as a debugger's guest does, by semihosting: SVC 0x123456 with
 * R0 = 0x18. [SEMIHOSTING, "SYS_EXIT (0x18)"]
 */
#ifndef TCG_BOARD_BOARD_H
#define TCG_BOARD_BOARD_H

#include "04-devices/bus.h"
#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/stop.h"
#include "06-tcg/board/pl011.h"
#include "06-tcg/board/sp804.h"
#include "06-tcg/space.h"

#define BOARD_RAM      0x00010000u
#define BOARD_RAM_SIZE 0x00100000u
#define BOARD_DEVICES  0x10000000u /* a fault from here on, 256 MiB, is a device's */
#define BOARD_TIMERS   0x101e2000u
#define BOARD_UART     0x101f1000u

struct board {
    struct space space;
    struct arm_cpu cpu;
    struct bus bus;
    struct pl011 uart;
    struct sp804 timers[2];
};

/* 0 or -errno. Release with board_free(). */
int board_init(struct board *board, struct byte_sink out, struct clock clock);
void board_free(struct board *board);

/*
 * Runs until the payload ends itself (true), or stops for another reason (false):
 * *stop tells. run(self, cpu) is the engine: arm_run, or a translator's.
 */
bool board_run(struct board *board, struct arm_stop (*run)(void *self, struct arm_cpu *cpu),
               void *self, struct arm_stop *stop);

#endif
