/*
 * board.c: memory, devices, and the faults that are accesses to devices.
 * See board.h for the map.
 *
 * Keep open: [VERSATILE, 4 "Programmer's Reference"] for where things are.
 */
#include "06-tcg/board/board.h"

#include "06-tcg/arm/interpret.h"
#include "06-tcg/fault.h"

#define SEMIHOSTING 0x123456u
#define SYS_EXIT    0x18u

static void no_wire(void *self, bool level)
{
    (void)self;
    (void)level;
}

int board_init(struct board *board, struct byte_sink out, struct clock clock)
{
    int error;

    *board = (struct board){0};
    error = space_init(&board->space);
    if (error)
        return error;
    error = space_map(&board->space, BOARD_RAM, BOARD_RAM_SIZE, SPACE_PROT, false, -1, 0);
    if (error) {
        space_free(&board->space);
        return error;
    }
    fault_install();
    board->cpu.space = &board->space;
    board->cpu.budget = UINT64_MAX;
    board->cpu.r[ARM_PC] = BOARD_RAM;
    board->cpu.r[ARM_SP] = BOARD_RAM + BOARD_RAM_SIZE;

    /* [devices] */
    pl011_init(&board->uart, (struct irq_line){no_wire, NULL}, out);
    bus_add(&board->bus, &(struct bus_range){BOARD_UART, PL011_SIZE, 4, pl011_read, pl011_write,
                                             &board->uart, "pl011"});
    for (unsigned i = 0; i < 2; i++) {
        sp804_init(&board->timers[i], clock);
        bus_add(&board->bus,
                &(struct bus_range){BOARD_TIMERS + i * SP804_SIZE, SP804_SIZE, 4, sp804_read,
                                    sp804_write, &board->timers[i], "sp804"});
    }
    /* [/devices] */
    return 0;
}

void board_free(struct board *board)
{
    space_free(&board->space);
}

static bool is_device(uint32_t address)
{
    return address >> 28 == BOARD_DEVICES >> 28;
}

static bool load(void *self, uint32_t address, unsigned size, uint64_t *value)
{
    struct board *board = self;

    if (!is_device(address))
        return false;
    *value = bus_read(&board->bus, address, size);
    return true;
}

static bool store(void *self, uint32_t address, unsigned size, uint64_t value)
{
    struct board *board = self;

    if (!is_device(address))
        return false;
    bus_write(&board->bus, address, size, value);
    return true;
}

/* [mmio] */
/* Executes the instruction that faulted, with the bus behind the addresses of devices. */
static bool access_device(struct board *board, struct arm_stop *stop)
{
    struct arm_io io = {load, store, board};
    struct arm_insn insn;
    bool done;

    if (!arm_fetch(&board->cpu, board->cpu.r[ARM_PC], &insn, stop))
        return false;
    board->cpu.io = &io;
    done = arm_execute(&board->cpu, &insn, stop);
    board->cpu.io = NULL;
    return done;
}

bool board_run(struct board *board, struct arm_stop (*run)(void *self, struct arm_cpu *cpu),
               void *self, struct arm_stop *stop)
{
    for (;;) {
        *stop = run(self, &board->cpu);
        if (stop->reason == ARM_SVC && stop->value == SEMIHOSTING && board->cpu.r[0] == SYS_EXIT)
            return true;
        if (stop->reason != ARM_FAULT || stop->access == ARM_EXECUTE || stop->unaligned ||
            !is_device(stop->address) || !access_device(board, stop))
            return false;
    }
}
/* [/mmio] */
