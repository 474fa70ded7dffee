/*
 * board.c: see board.h.
 *
 * The loop is chapter 1's with one more exit, KVM_EXIT_DEBUG, and one more question
 * after each: did the mode change? Left out on purpose: input, interrupts, a second
 * processor.
 */
#define _GNU_SOURCE
#include "02-protected-mode/board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/stop.h"
#include "02-protected-mode/cpu_mode.h"
#include "02-protected-mode/launch.h"
#include "02-protected-mode/step.h"
#include "common/bits.h"
#include "common/die.h"

#define TEXT_PORT  0xe9u
#define OPCODE_HLT 0xf4u

void board_init(struct board *board, const struct board_options *options, uint64_t ram)
{
    struct kvm_cpuid2 *cpuid;

    *board = (struct board){.options = *options};
    vm_init(&board->vm);
    vm_add_ram(&board->vm, 0, ram);
    vcpu_init(&board->vcpu, &board->vm, 0);
    /* Without leaf 0x80000001's "long mode" bit, setting EFER.LME is a #GP. */
    cpuid = vm_supported_cpuid(&board->vm);
    vcpu_set_cpuid(&board->vcpu, cpuid);
    free(cpuid);
}

void board_free(struct board *board)
{
    vcpu_free(&board->vcpu);
    vm_free(&board->vm);
}

static bool answer_port(struct board *board, struct kvm_run *run)
{
    if (run->io.port == TEXT_PORT && run->io.direction == KVM_EXIT_IO_OUT) {
        fwrite((const uint8_t *)run + run->io.data_offset, run->io.size, run->io.count, stdout);
        return true;
    }
    return board->port && board->port(board->self, board, run);
}

static bool stepping(const struct board *board)
{
    return board->options.watch || board->options.step;
}

/* [look] */
/* Where is the processor now? Prints it if the mode changed, or if all is wanted. */
static void look(struct board *board)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    vcpu_get_regs(&board->vcpu, &regs);
    vcpu_get_sregs(&board->vcpu, &sregs);
    if (stepping(board) &&
        (board->options.step || cpu_mode_changed(&board->regs, &board->sregs, &regs, &sregs))) {
        fflush(stdout); /* what the guest said before comes before */
        cpu_mode_print(stderr, &regs, &sregs);
    }
    board->regs = regs;
    board->sregs = sregs;
}
/* [/look] */

/*
 * Did the last step execute HLT? Hardware KVM reports KVM_EXIT_HLT even while stepping;
 * where KVM emulates the instruction, the step's KVM_EXIT_DEBUG comes in its place, and
 * the next KVM_RUN would sleepwalk behind the HLT.
 */
static bool stepped_over_hlt(const struct board *board, uint64_t rip_before)
{
    struct kvm_translation translation = {.linear_address = board->sregs.cs.base + rip_before};
    const uint8_t *code = NULL;

    if (board->regs.rip != rip_before + 1 || cpu_ring(&board->sregs) != 0)
        return false;
    if (ioctl(board->vcpu.fd, KVM_TRANSLATE, &translation) == 0 && translation.valid)
        code = guest_ptr(&board->vm.memory, translation.physical_address, 1);
    return code && *code == OPCODE_HLT;
}

/* [run] */
static enum board_status run(struct board *board)
{
    struct kvm_run *run = board->vcpu.run;

    for (;;) {
        if (stepping(board) && !step_arm(&board->vcpu))
            die("this KVM does not single-step (KVM_SET_GUEST_DEBUG): %s; leave out --watch and "
                "--step",
                strerror(errno));
        if (!vcpu_run(&board->vcpu)) {
            stop_report(&board->vcpu, board->options.limit);
            return BOARD_STOPPED;
        }

        uint64_t rip_before = board->regs.rip;

        if (run->exit_reason != KVM_EXIT_SHUTDOWN)
            look(board);
        switch (run->exit_reason) {
        case KVM_EXIT_HLT: return BOARD_HALTED;
        case KVM_EXIT_DEBUG:
            if (stepped_over_hlt(board, rip_before))
                return BOARD_HALTED;
            continue;
        case KVM_EXIT_IO:
            if (answer_port(board, run))
                continue;
            break;
        case KVM_EXIT_SHUTDOWN: return BOARD_TRIPLE_FAULT;
        case KVM_EXIT_FAIL_ENTRY: return BOARD_REFUSED;
        }
        return BOARD_UNHANDLED;
    }
}
/* [/run] */

enum board_status board_run(struct board *board)
{
    enum board_status status;

    stop_arm(&board->vcpu, board->options.limit);
    look(board);
    status = run(board);
    fflush(stdout);
    switch (status) {
    case BOARD_HALTED:
    case BOARD_HOST:
    case BOARD_STOPPED: break;
    case BOARD_REFUSED:
    case BOARD_UNHANDLED:
    case BOARD_TRIPLE_FAULT: exit_report(stderr, &board->vm, &board->vcpu); break;
    }
    if (status == BOARD_REFUSED)
        launch_explain_vcpu(stderr, &board->vcpu);
    return status;
}
