/*
 * i8042.h: the keyboard controller of a PC, with a socket for a keyboard and one for a
 * mouse.
 *
 * Firmware and operating systems talk to this microcontroller even on machines
 * without a keyboard: Linux waits half a second for one that does not answer, and
 * pulls the reset line through it when it reboots.
 *
 *     port   read                                write
 *     0x60   output buffer                       parameter, or a byte for the keyboard
 *     0x64   status                              command
 *
 * [PS2-TRM, "Keyboard/Auxiliary Device Controller"]
 *
 *     i8042_init(&controller, irq_1, irq_12, reset);
 *     ps2_keyboard_init(&keyboard, i8042_socket(&controller), clock, alarm);
 *     i8042_plug_keyboard(&controller, ps2_keyboard_device(&keyboard));
 *
 * A socket may stay empty: a byte sent there comes back as 0xfe with the time-out bit
 * set in the status, as real controllers report a keyboard that does not answer.
 *
 * The controller has one output buffer for both devices and itself. It lets a device
 * speak only when the buffer is empty, so a guest that never reads stops the keyboard
 * and nothing else. What the keyboard says in scan code set 2 the controller translates
 * to set 1, the code of the first PC, while I8042_CONFIG_XLATE is set.
 */
#ifndef CHAPTER_04_I8042_H
#define CHAPTER_04_I8042_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/irq.h"
#include "04-devices/ps2.h"

#define I8042_DATA   0x60u /* one port each; width 1 */
#define I8042_STATUS 0x64u

/* Status register */
#define I8042_STATUS_OBF     0x01u /* output buffer full: read 0x60 */
#define I8042_STATUS_IBF     0x02u /* input buffer full: we are never busy */
#define I8042_STATUS_SYSTEM  0x04u /* the self test has passed */
#define I8042_STATUS_COMMAND 0x08u /* the last write went to 0x64 */
#define I8042_STATUS_UNLOCK  0x10u /* the key in the front panel is not turned */
#define I8042_STATUS_AUX     0x20u /* the byte is the mouse's */
#define I8042_STATUS_TIMEOUT 0x40u

/* Configuration byte, at index 0 of the controller's RAM */
#define I8042_CONFIG_KBD_IRQ 0x01u
#define I8042_CONFIG_AUX_IRQ 0x02u
#define I8042_CONFIG_SYSTEM  0x04u
#define I8042_CONFIG_KBD_OFF 0x10u
#define I8042_CONFIG_AUX_OFF 0x20u
#define I8042_CONFIG_XLATE   0x40u

/* Commands to port 0x64 */
enum i8042_command {
    I8042_READ_RAM = 0x20,  /* ... 0x3f: the low five bits are the index */
    I8042_WRITE_RAM = 0x60, /* ... 0x7f */
    I8042_AUX_DISABLE = 0xa7,
    I8042_AUX_ENABLE = 0xa8,
    I8042_AUX_TEST = 0xa9,
    I8042_SELF_TEST = 0xaa,
    I8042_KBD_TEST = 0xab,
    I8042_KBD_DISABLE = 0xad,
    I8042_KBD_ENABLE = 0xae,
    I8042_READ_INPUT = 0xc0,
    I8042_READ_OUTPUT = 0xd0,
    I8042_WRITE_OUTPUT = 0xd1,
    I8042_KBD_LOOP = 0xd2,
    I8042_AUX_LOOP = 0xd3,
    I8042_AUX_SEND = 0xd4,
    I8042_PULSE = 0xf0, /* ... 0xff: the low four bits are the lines, 0 = pulse */
};

struct i8042 {
    struct irq_line kbd, aux; /* IRQ 1 and IRQ 12 */
    struct irq_line reset;    /* raised when the reset line is pulled */
    struct ps2_device keyboard, mouse;
    uint8_t ram[32];          /* ram[0] is the configuration byte */
    uint8_t output;           /* the output buffer */
    uint8_t status;           /* all but OBF's consequences: see i8042.c */
    uint8_t command;          /* waits for its parameter, or 0 */
    uint8_t aside, aside_aux; /* a device's byte that an answer displaced, whose it is */
    bool from_device;         /* what is in the output buffer */
    bool aside_full;
    bool broke; /* translation: 0xf0 came, the next code is a break */
    bool kbd_level, aux_level;
};

/* Powers the controller up, as firmware leaves it: tested, sockets enabled and empty. */
void i8042_init(struct i8042 *c, struct irq_line kbd, struct irq_line aux, struct irq_line reset);

/* Plugs a device in; the controller calls it until the end, so it must live as long. */
void i8042_plug_keyboard(struct i8042 *c, struct ps2_device keyboard);
void i8042_plug_mouse(struct i8042 *c, struct ps2_device mouse);

/* What either device calls when it has something to say. */
struct ps2_socket i8042_socket(struct i8042 *c);

uint64_t i8042_data_read(void *self, uint64_t reg, unsigned size);
void i8042_data_write(void *self, uint64_t reg, unsigned size, uint64_t value);
uint64_t i8042_status_read(void *self, uint64_t reg, unsigned size);
void i8042_command_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
