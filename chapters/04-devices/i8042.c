/*
 * i8042.c: the keyboard controller. Open at hand: [PS2-TRM].
 *
 *   keyboard --set 2--> [ translate ] --.                    .--> 0x60
 *                                        >-- output buffer --+
 *   mouse    ---------------------------'                    '--> IRQ 1 or 12
 *                      our own answers --'
 *
 * The real thing is a small computer that takes some microseconds for an answer;
 * ours answers before the guest's next instruction, so the input buffer is never
 * full. An answer that nobody fetched is overwritten by the next one; a byte from a
 * device that is in the way of an answer is put aside and comes after it.
 *
 * Left out on purpose: the millisecond that a byte takes from the device (the next one
 * is there as soon as the last is read), passwords, address line 20 (which is always
 * open), and the multiplexing protocol for four mice.
 */
#include "04-devices/i8042.h"

#include "04-devices/scancodes.h"

/* What a socket says of its wires: "no error" (the test does not need a device). */
#define TEST_GOOD      0x00u
#define SELF_TEST_GOOD 0x55u
#define NO_ANSWER      0xfeu /* "resend": the keyboard did not answer in time */
#define OUTPUT_RESET   0x01u /* output port: 1 while the machine may run */
#define OUTPUT_A20     0x02u
#define INPUT_PORT     0xb0u /* not locked, VGA, no manufacturing jumper */

static void drive(const struct irq_line *line, bool *now, bool level)
{
    if (*now != level) {
        *now = level;
        irq_set(line, level);
    }
}

/* A socket's interrupt is "output buffer full with its byte", if it is enabled. */
static void i8042_update(struct i8042 *c)
{
    bool full = c->status & I8042_STATUS_OBF;
    bool aux = c->status & I8042_STATUS_AUX;

    drive(&c->kbd, &c->kbd_level, full && !aux && (c->ram[0] & I8042_CONFIG_KBD_IRQ));
    drive(&c->aux, &c->aux_level, full && aux && (c->ram[0] & I8042_CONFIG_AUX_IRQ));
}

/* Puts a byte into the output buffer; extra says whose it is and what went wrong. */
static void i8042_deliver(struct i8042 *c, uint8_t byte, uint8_t extra, bool from_device)
{
    c->output = byte;
    c->from_device = from_device;
    c->status &= ~(I8042_STATUS_AUX | I8042_STATUS_TIMEOUT | I8042_STATUS_OBF);
    i8042_update(c); /* the line falls first: an 8259 waits for the edge */
    c->status |= I8042_STATUS_OBF | extra;
    i8042_update(c);
}

static void i8042_answer(struct i8042 *c, uint8_t byte, uint8_t extra)
{
    if ((c->status & I8042_STATUS_OBF) && c->from_device) {
        c->aside = c->output;
        c->aside_aux = c->status & I8042_STATUS_AUX;
        c->aside_full = true;
    }
    i8042_deliver(c, byte, extra, false);
}

/* [translate] */
/* A byte of the keyboard's, as the guest wants it. False: more must come first. */
static bool i8042_translate(struct i8042 *c, uint8_t *byte)
{
    if (!(c->ram[0] & I8042_CONFIG_XLATE))
        return true;
    if (*byte == SCANCODE_BREAK) {
        c->broke = true;
        return false;
    }
    *byte = scancode_translate(*byte) | (c->broke ? SCANCODE_UP : 0);
    c->broke = false;
    return true;
}
/* [/translate] */

static bool i8042_fetch(struct i8042 *c, const struct ps2_device *device, uint8_t off,
                        uint8_t *byte)
{
    return device->fetch && !(c->ram[0] & off) && device->fetch(device->self, byte);
}

/* [refill] */
/* The buffer is empty: who wants to speak? */
static void i8042_refill(struct i8042 *c)
{
    uint8_t byte;

    if (c->status & I8042_STATUS_OBF)
        return;
    if (c->aside_full) {
        c->aside_full = false;
        i8042_deliver(c, c->aside, c->aside_aux, true);
        return;
    }
    while (i8042_fetch(c, &c->keyboard, I8042_CONFIG_KBD_OFF, &byte))
        if (i8042_translate(c, &byte)) {
            i8042_deliver(c, byte, 0, true);
            return;
        }
    if (i8042_fetch(c, &c->mouse, I8042_CONFIG_AUX_OFF, &byte))
        i8042_deliver(c, byte, I8042_STATUS_AUX, true);
}
/* [/refill] */

static void i8042_set_config(struct i8042 *c, uint8_t config)
{
    c->ram[0] = config;
    c->status &= ~I8042_STATUS_SYSTEM;
    if (config & I8042_CONFIG_SYSTEM)
        c->status |= I8042_STATUS_SYSTEM;
    i8042_update(c);
    i8042_refill(c);
}

/* A byte for a device; the controller opens its socket if it was closed. */
static void i8042_send(struct i8042 *c, const struct ps2_device *device, uint8_t off, uint8_t extra,
                       uint8_t byte)
{
    if (!device->send) {
        i8042_answer(c, NO_ANSWER, I8042_STATUS_TIMEOUT | extra);
        return;
    }
    i8042_set_config(c, c->ram[0] & ~off);
    device->send(device->self, byte);
}

static void i8042_write_output(struct i8042 *c, uint8_t value)
{
    if (!(value & OUTPUT_RESET))
        irq_set(&c->reset, true);
}

uint64_t i8042_status_read(void *self, uint64_t reg, unsigned size)
{
    const struct i8042 *c = self;

    (void)reg, (void)size;
    return c->status;
}

uint64_t i8042_data_read(void *self, uint64_t reg, unsigned size)
{
    struct i8042 *c = self;
    uint8_t byte = c->output;

    (void)reg, (void)size;
    c->status &= ~(I8042_STATUS_OBF | I8042_STATUS_AUX | I8042_STATUS_TIMEOUT);
    i8042_update(c);
    i8042_refill(c);
    return byte;
}

void i8042_command_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct i8042 *c = self;
    uint8_t command = (uint8_t)value;

    (void)reg, (void)size;
    c->status |= I8042_STATUS_COMMAND;
    c->command = 0;
    if (command >= I8042_PULSE) {
        if (!(command & OUTPUT_RESET))
            irq_set(&c->reset, true);
        return;
    }
    if (command >= I8042_WRITE_RAM && command < I8042_WRITE_RAM + sizeof c->ram) {
        c->command = command;
        return;
    }
    if (command >= I8042_READ_RAM && command < I8042_READ_RAM + sizeof c->ram) {
        i8042_answer(c, c->ram[command - I8042_READ_RAM], 0);
        return;
    }
    switch (command) {
    case I8042_AUX_DISABLE: i8042_set_config(c, c->ram[0] | I8042_CONFIG_AUX_OFF); break;
    case I8042_AUX_ENABLE: i8042_set_config(c, c->ram[0] & ~I8042_CONFIG_AUX_OFF); break;
    case I8042_KBD_DISABLE: i8042_set_config(c, c->ram[0] | I8042_CONFIG_KBD_OFF); break;
    case I8042_KBD_ENABLE: i8042_set_config(c, c->ram[0] & ~I8042_CONFIG_KBD_OFF); break;
    case I8042_AUX_TEST:
    case I8042_KBD_TEST: i8042_answer(c, TEST_GOOD, 0); break;
    case I8042_SELF_TEST:
        i8042_set_config(c, c->ram[0] | I8042_CONFIG_SYSTEM);
        i8042_answer(c, SELF_TEST_GOOD, 0);
        break;
    case I8042_READ_INPUT: i8042_answer(c, INPUT_PORT, 0); break;
    case I8042_READ_OUTPUT: i8042_answer(c, OUTPUT_RESET | OUTPUT_A20, 0); break;
    case I8042_WRITE_OUTPUT:
    case I8042_KBD_LOOP:
    case I8042_AUX_LOOP:
    case I8042_AUX_SEND: c->command = command; break;
    default: break; /* unknown commands are ignored, as the chip does */
    }
}

void i8042_data_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct i8042 *c = self;
    uint8_t byte = (uint8_t)value;
    uint8_t command = c->command;

    (void)reg, (void)size;
    c->status &= ~I8042_STATUS_COMMAND;
    c->command = 0;
    switch (command) {
    case 0: i8042_send(c, &c->keyboard, I8042_CONFIG_KBD_OFF, 0, byte); break;
    case I8042_AUX_SEND:
        i8042_send(c, &c->mouse, I8042_CONFIG_AUX_OFF, I8042_STATUS_AUX, byte);
        break;
    case I8042_WRITE_OUTPUT: i8042_write_output(c, byte); break;
    case I8042_KBD_LOOP: i8042_answer(c, byte, 0); break;
    case I8042_AUX_LOOP: i8042_answer(c, byte, I8042_STATUS_AUX); break;
    case I8042_WRITE_RAM: i8042_set_config(c, byte); break;
    default: c->ram[command - I8042_WRITE_RAM] = byte; break;
    }
}

void i8042_init(struct i8042 *c, struct irq_line kbd, struct irq_line aux, struct irq_line reset)
{
    *c = (struct i8042){
        .kbd = kbd,
        .aux = aux,
        .reset = reset,
        .ram = {I8042_CONFIG_KBD_IRQ | I8042_CONFIG_SYSTEM | I8042_CONFIG_XLATE},
        .status = I8042_STATUS_SYSTEM | I8042_STATUS_UNLOCK,
    };
}

void i8042_plug_keyboard(struct i8042 *c, struct ps2_device keyboard)
{
    c->keyboard = keyboard;
    i8042_refill(c);
}

void i8042_plug_mouse(struct i8042 *c, struct ps2_device mouse)
{
    c->mouse = mouse;
    i8042_refill(c);
}

static void i8042_ready(void *self)
{
    i8042_refill(self);
}

struct ps2_socket i8042_socket(struct i8042 *c)
{
    return (struct ps2_socket){.ready = i8042_ready, .self = c};
}
