/*
 * pc.h: the board: every device of this chapter, and where it sits.
 *
 *     port   size   device                        interrupt
 *     0x020  2      master PIC                    \
 *     0x040  4      timer                         0  \ with KVM's chips all of these
 *     0x061  1      timer's gate, speaker            / are KVM's, and there is an I/O
 *     0x0a0  2      slave PIC                     /    APIC and a local APIC as well
 *     0x4d0  2      PIC edge or level             /
 *     0x060  1      keyboard controller, data     1, 12
 *     0x064  1      keyboard controller, command
 *     0x070  2      clock and CMOS memory         8
 *     0x080  1      POST codes
 *     0x092  1      fast reset
 *     0x0e9  1      debug console, also at 0x402
 *     0x0f4  4      debug exit, if asked for
 *     0x3c0  16     text screen, also at 0x3d4 and 0x3da; its memory is RAM at 0xb8000
 *     0x3f8  8      serial port                   4
 *     0xcf8  4      PCI address, and reset control (0xcf9)
 *     0xcfc  4      PCI data
 *     PCI slot 1    DMA timer                     10, or a message
 *
 * We are this machine's firmware as well: PCI's addresses are given out and the CMOS
 * memory describes the board. What a guest has to do itself: the PICs' vectors and
 * masks, and which lines are level-triggered (ports 0x4d0, 0x4d1; PCI's are 10 and 11).
 */
#ifndef CHAPTER_04_PC_H
#define CHAPTER_04_PC_H

#include "04-devices/coalesced.h"
#include "04-devices/debug_ports.h"
#include "04-devices/dma_timer.h"
#include "04-devices/doorbell.h"
#include "04-devices/i8042.h"
#include "04-devices/machine.h"
#include "04-devices/pci.h"
#include "04-devices/pic.h"
#include "04-devices/pit.h"
#include "04-devices/ps2_keyboard.h"
#include "04-devices/ps2_mouse.h"
#include "04-devices/reset.h"
#include "04-devices/rtc.h"
#include "04-devices/sink.h"
#include "04-devices/text_screen.h"
#include "04-devices/uart.h"

enum irqchip { IRQCHIP_KERNEL, IRQCHIP_USER };

/* What the reader chooses. */
struct pc_options {
    enum irqchip irqchip;
    bool debug_exit;
    struct byte_sink serial; /* what the serial port and the debug console print */
    struct byte_sink debug;
};

struct pc {
    struct machine machine;
    struct pic_pair pic; /* with IRQCHIP_USER, as is the timer */
    struct pit pit;
    struct uart serial;
    struct i8042 keyboard_controller;
    struct ps2_keyboard keyboard;
    struct ps2_mouse mouse;
    struct rtc rtc;
    struct text_screen screen;
    struct debug_console debug;
    struct post_port post;
    struct debug_exit debug_exit;
    struct reset_ports reset;
    struct pci_host pci;
    struct dma_timer dma_timer;
    struct doorbell doorbell; /* the DMA timer's */
    struct alarm doorbell_alarm;
    struct coalesced collected;
    int status; /* what the debug exit port was told; -1: nothing */
};

/*
 * Attaches everything. pc->machine is made, and its RAM covers the text screen's memory.
 * pc must not move afterwards. Without IRQCHIP_KERNEL nothing here needs /dev/kvm.
 */
void pc_attach(struct pc *pc, const struct pc_options *options);

/*
 * Once the machine has its processor: writes to the debug ports no longer stop the
 * guest. Without KVM's help for that, nothing changes but the number of exits.
 */
void pc_collect(struct pc *pc);

/* Releases what pc_attach() opened. The event loop must not be running. */
void pc_detach(struct pc *pc);

#endif
