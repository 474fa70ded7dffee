/*
 * ps2_keyboard.c: the keyboard. Open at hand: [PS2-TRM], "Keyboard (101- and 102-Key)".
 *
 * All codes are made in set 2. Set 1 is what the controller's table makes of them, for
 * that is how it is defined; set 3 has its own numbers, and rules for each key of what it
 * reports: whether it repeats, and whether it says that it was released.
 *
 * Left out on purpose: the half second that a reset takes, the pause in scanning
 * between a command and its parameter, fake shifts (scancodes.c), and the power-up
 * values of set 3's rules, which differ from key to key: here all keys start with
 * everything, as PS2_KBD_ALL leaves them.
 */
#include "04-devices/ps2_keyboard.h"

#include <string.h>

#include "04-devices/scancodes.h"
#include "common/bits.h"

/* What a key of set 3 reports besides being pressed. */
#define KEY_BREAKS        0x01u
#define KEY_REPEATS       0x02u

#define OVERRUN           0x00u /* keys were lost */
#define OVERRUN_SET_1     0xffu
#define IDENTITY_FIRST    0xabu
#define IDENTITY_SECOND   0x83u
#define TYPEMATIC_DEFAULT 0x2bu /* after 500 ms, 10.9 times a second */
#define MILLISECOND       INT64_C(1000000)

/* The codes of one event. */
struct codes {
    uint8_t bytes[8];
    unsigned count;
};

static void add(struct codes *codes, uint8_t code, bool extended, bool down)
{
    if (extended)
        codes->bytes[codes->count++] = SCANCODE_EXTENDED;
    if (!down)
        codes->bytes[codes->count++] = SCANCODE_BREAK;
    codes->bytes[codes->count++] = code;
}

/*
 * Pause was Ctrl-NumLock on the first PC and sends both, pressed and released at once;
 * with Ctrl it is Break, which was Ctrl-ScrollLock.
 */
static void add_pause(struct codes *codes, bool ctrl)
{
    static const uint8_t pause[] = {0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77};

    if (ctrl) {
        add(codes, 0x7e, true, true);
        add(codes, 0x7e, true, false);
        return;
    }
    memcpy(codes->bytes, pause, sizeof pause);
    codes->count = sizeof pause;
}

/* Print Screen was Shift-* and comes in a fake shift; with Alt it is SysRq. */
static void add_print_screen(struct codes *codes, bool ctrl, bool alt, bool down)
{
    if (alt) {
        add(codes, 0x84, false, down);
        return;
    }
    if (!ctrl && down)
        add(codes, 0x12, true, true);
    add(codes, 0x7c, true, down);
    if (!ctrl && !down)
        add(codes, 0x12, true, false);
}

/* Set 2 becomes set 1: 0xf0 goes, and bit 7 of the next code comes. */
static void to_set_1(struct codes *codes)
{
    uint8_t up = 0;
    unsigned kept = 0;

    for (unsigned i = 0; i < codes->count; i++) {
        if (codes->bytes[i] == SCANCODE_BREAK) {
            up = SCANCODE_UP;
            continue;
        }
        codes->bytes[kept++] = scancode_translate(codes->bytes[i]) | up;
        up = 0;
    }
    codes->count = kept;
}

static struct codes keyboard_codes(const struct ps2_keyboard *kb, unsigned key,
                                   struct scancode code, bool down)
{
    struct codes codes = {.count = 0};

    if (kb->set == 3) {
        if (down || (kb->set3_types[code.set3] & KEY_BREAKS))
            add(&codes, code.set3, false, down);
        return codes;
    }
    if (key == KEY_PAUSE) {
        if (down)
            add_pause(&codes, kb->ctrl);
    } else if (key == KEY_SYSRQ) {
        add_print_screen(&codes, kb->ctrl, kb->alt, down);
    } else {
        add(&codes, code.set2, code.extended, down);
    }
    if (kb->set == 1)
        to_set_1(&codes);
    return codes;
}

static void keyboard_push(struct ps2_keyboard *kb, uint8_t byte)
{
    kb->queue[(kb->head + kb->count++) % PS2_KEYS_QUEUED] = byte;
}

/*
 * All codes of an event, or none: the last place is kept for the overrun's, and behind
 * that nothing more is taken until the guest has read it all.
 */
static void keyboard_queue(struct ps2_keyboard *kb, const struct codes *codes)
{
    if (kb->overrun)
        return;
    kb->overrun = kb->count + codes->count >= PS2_KEYS_QUEUED;
    if (kb->overrun)
        keyboard_push(kb, kb->set == 1 ? OVERRUN_SET_1 : OVERRUN);
    else
        for (unsigned i = 0; i < codes->count; i++)
            keyboard_push(kb, codes->bytes[i]);
    kb->socket.ready(kb->socket.self);
}

/* The delay, and the time between two codes. ["Set Typematic Rate/Delay (Hex F3)"] */
static int64_t typematic_delay(uint8_t typematic)
{
    return (int64_t)(bits(typematic, 6, 5) + 1) * 250 * MILLISECOND;
}

static int64_t typematic_period(uint8_t typematic)
{
    uint64_t units = (8 + bits(typematic, 2, 0)) << bits(typematic, 4, 3);

    return (int64_t)units * MILLISECOND * 1000 / 240;
}

static void keyboard_repeat(struct ps2_keyboard *kb, unsigned key, int64_t after)
{
    if (key == 0 && kb->repeating == 0)
        return;
    kb->repeating = key;
    alarm_set(&kb->alarm, key ? clock_now(&kb->clock) + after : ALARM_NEVER);
}

void ps2_keyboard_alarm(struct ps2_keyboard *kb)
{
    struct scancode code;
    struct codes codes;

    if (!scancode_of(kb->repeating, &code))
        return;
    codes = keyboard_codes(kb, kb->repeating, code, true);
    if (kb->count == 0) /* a guest that is slow sees fewer, not later ones */
        keyboard_queue(kb, &codes);
    keyboard_repeat(kb, kb->repeating, typematic_period(kb->typematic));
}

void ps2_keyboard_key(struct ps2_keyboard *kb, unsigned key, bool down)
{
    struct scancode code;
    struct codes codes;

    if (!scancode_of(key, &code))
        return;
    if (key == KEY_LEFTCTRL || key == KEY_RIGHTCTRL)
        kb->ctrl = down;
    if (key == KEY_LEFTALT || key == KEY_RIGHTALT)
        kb->alt = down;
    if (!kb->scanning)
        return;
    codes = keyboard_codes(kb, key, code, down);
    keyboard_queue(kb, &codes);
    if (!down && key == kb->repeating)
        keyboard_repeat(kb, 0, 0);
    if (down && key != KEY_PAUSE && (kb->set != 3 || (kb->set3_types[code.set3] & KEY_REPEATS)))
        keyboard_repeat(kb, key, typematic_delay(kb->typematic));
}

static void set_all_types(struct ps2_keyboard *kb, uint8_t types)
{
    memset(kb->set3_types, types, sizeof kb->set3_types);
}

static void keyboard_clear(struct ps2_keyboard *kb)
{
    kb->count = 0;
    kb->overrun = false;
    keyboard_repeat(kb, 0, 0);
}

static void keyboard_defaults(struct ps2_keyboard *kb)
{
    keyboard_clear(kb);
    kb->set = 2;
    kb->typematic = TYPEMATIC_DEFAULT;
    set_all_types(kb, KEY_BREAKS | KEY_REPEATS);
}

static void keyboard_set(struct ps2_keyboard *kb, uint8_t set)
{
    if (set > 3) {
        ps2_reply_start(&kb->reply, PS2_RESEND);
        return;
    }
    if (set == 0) {
        ps2_reply_add(&kb->reply, kb->set);
        return;
    }
    keyboard_clear(kb);
    kb->set = set;
}

/* The types that 0xf7 to 0xfa, and 0xfb to 0xfd, give. */
static uint8_t types_of(uint8_t command)
{
    switch (command) {
    case PS2_KBD_ALL_TYPEMATIC:
    case PS2_KBD_KEY_TYPEMATIC: return KEY_REPEATS;
    case PS2_KBD_ALL_MAKE_BREAK:
    case PS2_KBD_KEY_MAKE_BREAK: return KEY_BREAKS;
    case PS2_KBD_ALL: return KEY_REPEATS | KEY_BREAKS;
    default: return 0;
    }
}

static void keyboard_parameter(struct ps2_keyboard *kb, uint8_t command, uint8_t byte)
{
    ps2_reply_start(&kb->reply, PS2_ACK);
    switch (command) {
    case PS2_KBD_LEDS: kb->leds = byte & (PS2_LED_SCROLL | PS2_LED_NUM | PS2_LED_CAPS); break;
    case PS2_KBD_TYPEMATIC: kb->typematic = byte & 0x7f; break;
    case PS2_KBD_SET: keyboard_set(kb, byte); break;
    default: /* 0xfb to 0xfd: a list that ends with the next command */
        kb->set3_types[byte] = types_of(command);
        kb->command = command;
        break;
    }
}

static void keyboard_command(struct ps2_keyboard *kb, uint8_t command)
{
    ps2_reply_start(&kb->reply, PS2_ACK);
    switch (command) {
    case PS2_KBD_LEDS:
    case PS2_KBD_SET:
    case PS2_KBD_TYPEMATIC:
    case PS2_KBD_KEY_TYPEMATIC:
    case PS2_KBD_KEY_MAKE_BREAK:
    case PS2_KBD_KEY_MAKE: kb->command = command; break;
    case PS2_KBD_ECHO: ps2_reply_start(&kb->reply, PS2_KBD_ECHO); break;
    case PS2_KBD_IDENTIFY:
        ps2_reply_add(&kb->reply, IDENTITY_FIRST);
        ps2_reply_add(&kb->reply, IDENTITY_SECOND);
        break;
    case PS2_KBD_ENABLE:
        keyboard_clear(kb);
        kb->scanning = true;
        break;
    case PS2_KBD_DISABLE:
        keyboard_defaults(kb);
        kb->scanning = false;
        break;
    case PS2_KBD_DEFAULT: keyboard_defaults(kb); break;
    case PS2_KBD_ALL_TYPEMATIC:
    case PS2_KBD_ALL_MAKE_BREAK:
    case PS2_KBD_ALL_MAKE:
    case PS2_KBD_ALL: set_all_types(kb, types_of(command)); break;
    case PS2_RESEND: ps2_reply_start(&kb->reply, kb->last); break;
    case PS2_RESET:
        keyboard_defaults(kb);
        kb->leds = 0;
        kb->scanning = true;
        ps2_reply_add(&kb->reply, PS2_BAT_OK);
        break;
    default: ps2_reply_start(&kb->reply, PS2_RESEND); break;
    }
}

static void keyboard_tell_room(struct ps2_keyboard *kb)
{
    if (kb->refused && kb->count == 0 && kb->scanning) {
        kb->refused = false;
        if (kb->room)
            kb->room(kb->room_self);
    }
}

/* A byte from the controller: a parameter, unless it can only be a new command. */
static void keyboard_send(void *self, uint8_t byte)
{
    struct ps2_keyboard *kb = self;
    uint8_t command = kb->command;

    kb->command = 0;
    if (command && byte < PS2_KBD_LEDS)
        keyboard_parameter(kb, command, byte);
    else
        keyboard_command(kb, byte);
    keyboard_tell_room(kb);
    kb->socket.ready(kb->socket.self);
}

static bool keyboard_fetch(void *self, uint8_t *byte)
{
    struct ps2_keyboard *kb = self;

    if (!ps2_reply_fetch(&kb->reply, byte)) {
        if (kb->count == 0)
            return false;
        *byte = kb->queue[kb->head];
        kb->head = (kb->head + 1) % PS2_KEYS_QUEUED;
        if (--kb->count == 0)
            kb->overrun = false;
        keyboard_tell_room(kb);
    }
    kb->last = *byte;
    return true;
}

bool ps2_keyboard_ready(struct ps2_keyboard *kb)
{
    kb->refused = kb->count > 0 || !kb->scanning;
    return !kb->refused;
}

static void keyboard_sink_key(void *self, unsigned key, bool down)
{
    ps2_keyboard_key(self, key, down);
}

static bool keyboard_sink_ready(void *self)
{
    return ps2_keyboard_ready(self);
}

struct key_sink ps2_keyboard_keys(struct ps2_keyboard *kb)
{
    return (struct key_sink){.key = keyboard_sink_key, .ready = keyboard_sink_ready, .self = kb};
}

struct ps2_device ps2_keyboard_device(struct ps2_keyboard *kb)
{
    return (struct ps2_device){.send = keyboard_send, .fetch = keyboard_fetch, .self = kb};
}

void ps2_keyboard_on_room(struct ps2_keyboard *kb, void (*room)(void *self), void *self)
{
    kb->room = room;
    kb->room_self = self;
}

void ps2_keyboard_init(struct ps2_keyboard *kb, struct ps2_socket socket, struct clock clock,
                       struct alarm alarm)
{
    *kb = (struct ps2_keyboard){.socket = socket, .clock = clock, .alarm = alarm, .scanning = true};
    keyboard_defaults(kb);
}
