/*
 * keymap.c: bytes to key strokes. Open at hand: [ECMA48], section 5.4 "Control
 * sequences", and [XTERM], "PC-Style Function Keys" and "Mouse Tracking".
 *
 *     a          A                 ground
 *     0x01       Ctrl-A            ground
 *     ESC a      Alt-A             escape
 *     ESC O P    F1                SS3
 *     ESC [ A    Up                CSI, no numbers
 *     ESC [ 3 ~  Delete            CSI, one number
 *     ESC [ 1;5A Ctrl-Up           CSI; the second number holds the modifiers, plus 1
 *     ESC [ [ A  F1                Linux's console
 *     ESC [ < 0;10;5 M             the mouse: button, column, row
 *
 * Left out on purpose: layouts other than the US one, dead keys, and keys that no
 * terminal reports (a Shift alone, Print Screen, Pause).
 */
#include "04-devices/keymap.h"

#include "common/bits.h"

#define ESC        0x1bu
#define SHIFT      0x01u /* as in the second number of a sequence, minus 1 */
#define ALT        0x02u
#define CTRL       0x04u
#define NUMBER_MAX 9999u /* far beyond what any terminal means */

/* One report of the mouse. [XTERM, "Mouse Tracking"] */
#define REPORT_BUTTON 0x03u
#define REPORT_MOTION 0x20u
#define REPORT_WHEEL  0x40u

/* In a character of 8 by 16 dots. */
#define COUNTS_ACROSS 8
#define COUNTS_DOWN   16

static const struct {
    uint8_t key;
    char plain, shifted;
} us_layout[] = {
    {KEY_1, '1', '!'},          {KEY_2, '2', '@'},           {KEY_3, '3', '#'},
    {KEY_4, '4', '$'},          {KEY_5, '5', '%'},           {KEY_6, '6', '^'},
    {KEY_7, '7', '&'},          {KEY_8, '8', '*'},           {KEY_9, '9', '('},
    {KEY_0, '0', ')'},          {KEY_MINUS, '-', '_'},       {KEY_EQUAL, '=', '+'},
    {KEY_Q, 'q', 'Q'},          {KEY_W, 'w', 'W'},           {KEY_E, 'e', 'E'},
    {KEY_R, 'r', 'R'},          {KEY_T, 't', 'T'},           {KEY_Y, 'y', 'Y'},
    {KEY_U, 'u', 'U'},          {KEY_I, 'i', 'I'},           {KEY_O, 'o', 'O'},
    {KEY_P, 'p', 'P'},          {KEY_LEFTBRACE, '[', '{'},   {KEY_RIGHTBRACE, ']', '}'},
    {KEY_A, 'a', 'A'},          {KEY_S, 's', 'S'},           {KEY_D, 'd', 'D'},
    {KEY_F, 'f', 'F'},          {KEY_G, 'g', 'G'},           {KEY_H, 'h', 'H'},
    {KEY_J, 'j', 'J'},          {KEY_K, 'k', 'K'},           {KEY_L, 'l', 'L'},
    {KEY_SEMICOLON, ';', ':'},  {KEY_APOSTROPHE, '\'', '"'}, {KEY_GRAVE, '`', '~'},
    {KEY_BACKSLASH, '\\', '|'}, {KEY_Z, 'z', 'Z'},           {KEY_X, 'x', 'X'},
    {KEY_C, 'c', 'C'},          {KEY_V, 'v', 'V'},           {KEY_B, 'b', 'B'},
    {KEY_N, 'n', 'N'},          {KEY_M, 'm', 'M'},           {KEY_COMMA, ',', '<'},
    {KEY_DOT, '.', '>'},        {KEY_SLASH, '/', '?'},       {KEY_SPACE, ' ', ' '},
};

/* What follows ESC [ or ESC O, by its last byte. */
static const struct {
    char final;
    uint8_t key;
} by_letter[] = {
    {'A', KEY_UP},  {'B', KEY_DOWN}, {'C', KEY_RIGHT}, {'D', KEY_LEFT},
    {'E', KEY_KP5}, {'F', KEY_END},  {'H', KEY_HOME},  {'M', KEY_KPENTER},
    {'P', KEY_F1},  {'Q', KEY_F2},   {'R', KEY_F3},    {'S', KEY_F4},
};

/* ESC [ number ~. The gaps are the VT220's. */
static const uint8_t by_number[] = {
    [1] = KEY_HOME,     [2] = KEY_INSERT, [3] = KEY_DELETE, [4] = KEY_END,  [5] = KEY_PAGEUP,
    [6] = KEY_PAGEDOWN, [7] = KEY_HOME,   [8] = KEY_END,    [11] = KEY_F1,  [12] = KEY_F2,
    [13] = KEY_F3,      [14] = KEY_F4,    [15] = KEY_F5,    [17] = KEY_F6,  [18] = KEY_F7,
    [19] = KEY_F8,      [20] = KEY_F9,    [21] = KEY_F10,   [23] = KEY_F11, [24] = KEY_F12,
};

/* [play] */
/* Presses the modifiers and the key, and releases them in the opposite order. */
static void play(struct keymap *map, unsigned key, unsigned modifiers)
{
    static const struct {
        unsigned modifier, key;
    } held[] = {{CTRL, KEY_LEFTCTRL}, {ALT, KEY_LEFTALT}, {SHIFT, KEY_LEFTSHIFT}};
    const struct key_sink *keys = &map->keys;

    for (unsigned i = 0; i < ARRAY_SIZE(held); i++)
        if (modifiers & held[i].modifier)
            keys->key(keys->self, held[i].key, true);
    keys->key(keys->self, key, true);
    keys->key(keys->self, key, false);
    for (unsigned i = ARRAY_SIZE(held); i-- > 0;)
        if (modifiers & held[i].modifier)
            keys->key(keys->self, held[i].key, false);
}
/* [/play] */

static void play_character(struct keymap *map, char character, unsigned modifiers)
{
    for (unsigned i = 0; i < ARRAY_SIZE(us_layout); i++) {
        if (us_layout[i].plain == character)
            play(map, us_layout[i].key, modifiers);
        else if (us_layout[i].shifted == character)
            play(map, us_layout[i].key, modifiers | SHIFT);
        else
            continue;
        return;
    }
}

/* One byte of ASCII, control characters too: Ctrl takes 0x40 off a letter. */
static void play_ascii(struct keymap *map, uint8_t byte, unsigned modifiers)
{
    switch (byte) {
    case 0x00: play(map, KEY_2, modifiers | CTRL); break; /* Ctrl-@, which is Shift-2 */
    case '\t': play(map, KEY_TAB, modifiers); break;
    case '\n':
    case '\r': play(map, KEY_ENTER, modifiers); break;
    case 0x1b: play(map, KEY_ESC, modifiers); break;
    case 0x1e: play(map, KEY_6, modifiers | CTRL); break;     /* Ctrl-^ */
    case 0x1f: play(map, KEY_MINUS, modifiers | CTRL); break; /* Ctrl-_ */
    case '\b': /* terminals do not agree on which of the two Backspace is */
    case 0x7f: play(map, KEY_BACKSPACE, modifiers); break;
    default:
        if (byte < 0x20)
            play_character(map, (char)(byte | (byte < 0x1b ? 0x60 : 0x40)), modifiers | CTRL);
        else
            play_character(map, (char)byte, modifiers);
    }
}

static void go(struct keymap *map, enum keymap_state state)
{
    map->state = state;
    if (state == KEYMAP_GROUND)
        map->alt = false;
}

static void escape_begins(struct keymap *map)
{
    if (map->state == KEYMAP_ESCAPE && map->alt)
        play(map, KEY_ESC, 0); /* a third ESC: the first was no more than that */
    map->alt = map->state == KEYMAP_ESCAPE;
    map->state = KEYMAP_ESCAPE;
    map->strange = map->mouse = false;
    map->count = 0;
    for (unsigned i = 0; i < KEYMAP_NUMBERS; i++)
        map->numbers[i] = 0;
}

static void play_letter(struct keymap *map, char final, unsigned modifiers)
{
    if (final == 'Z')
        play(map, KEY_TAB, modifiers | SHIFT);
    for (unsigned i = 0; i < ARRAY_SIZE(by_letter); i++)
        if (by_letter[i].final == final)
            play(map, by_letter[i].key, modifiers);
}

/* Where the mouse is, in characters; where it was we remember, so it can move. */
static void pointer_report(struct keymap *map, bool pressed)
{
    static const uint8_t buttons[] = {POINTER_LEFT, POINTER_MIDDLE, POINTER_RIGHT, 0};
    unsigned report = map->numbers[0], column = map->numbers[1], row = map->numbers[2];
    struct pointer_motion motion = {0};

    if (map->column) {
        motion.right = ((int)column - (int)map->column) * COUNTS_ACROSS;
        motion.down = ((int)row - (int)map->row) * COUNTS_DOWN;
    }
    map->column = column;
    map->row = row;
    if (report & REPORT_WHEEL)
        motion.wheel = report & 1 ? 1 : -1;
    else if (pressed && !(report & REPORT_MOTION))
        map->buttons |= buttons[report & REPORT_BUTTON];
    else if (!pressed)
        map->buttons &= ~(unsigned)buttons[report & REPORT_BUTTON];
    motion.buttons = map->buttons;
    if (map->pointer.move)
        map->pointer.move(map->pointer.self, motion);
}

/* A whole sequence: ESC [ numbers final. */
static void sequence_ends(struct keymap *map, char final)
{
    unsigned modifiers = map->alt ? ALT : 0;

    if (map->strange)
        return;
    if (map->mouse) {
        if (map->count == 2 && (final == 'M' || final == 'm'))
            pointer_report(map, final == 'M');
        return;
    }
    if (map->count > 0 && map->numbers[1] > 0)
        modifiers |= (map->numbers[1] - 1) & (SHIFT | ALT | CTRL);
    if (final != '~')
        play_letter(map, final, modifiers);
    else if (map->numbers[0] < ARRAY_SIZE(by_number) && by_number[map->numbers[0]])
        play(map, by_number[map->numbers[0]], modifiers);
}

static void csi_byte(struct keymap *map, uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        unsigned *number = &map->numbers[map->count];

        if (*number < NUMBER_MAX)
            *number = *number * 10 + byte - '0';
    } else if (byte == ';') {
        if (map->count < KEYMAP_NUMBERS - 1)
            map->count++;
        else
            map->strange = true;
    } else if (byte == '<') {
        map->mouse = true;
    } else if (byte == '[') {
        map->state = KEYMAP_CONSOLE;
    } else if (byte >= 0x40 && byte < 0x7f) {
        sequence_ends(map, (char)byte);
        go(map, KEYMAP_GROUND);
    } else if (byte >= 0x20 && byte < 0x40) {
        map->strange = true;
    } else {
        go(map, KEYMAP_GROUND); /* no byte of a sequence: given up */
    }
}

static void escape_byte(struct keymap *map, uint8_t byte)
{
    if (byte == '[') {
        map->state = KEYMAP_CSI;
    } else if (byte == 'O') {
        map->state = KEYMAP_SS3;
    } else {
        if (byte < 0x80)
            play_ascii(map, byte, ALT);
        go(map, KEYMAP_GROUND);
    }
}

/* A character beyond ASCII: no key makes it, so only its length counts. */
static void character_begins(struct keymap *map, uint8_t byte)
{
    map->more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
    go(map, map->more ? KEYMAP_UTF8 : KEYMAP_GROUND);
}

static void keymap_byte(struct keymap *map, uint8_t byte)
{
    if (map->state == KEYMAP_UTF8 && byte >> 6 != 2)
        go(map, KEYMAP_GROUND); /* broken off: this byte is another character's */
    if (byte == ESC) {
        escape_begins(map);
        return;
    }
    switch (map->state) {
    case KEYMAP_ESCAPE: escape_byte(map, byte); break;
    case KEYMAP_CSI: csi_byte(map, byte); break;
    case KEYMAP_SS3:
        play_letter(map, (char)byte, map->alt ? ALT : 0);
        go(map, KEYMAP_GROUND);
        break;
    case KEYMAP_CONSOLE:
        if (byte >= 'A' && byte <= 'E')
            play(map, KEY_F1 + byte - 'A', map->alt ? ALT : 0);
        go(map, KEYMAP_GROUND);
        break;
    case KEYMAP_UTF8:
        if (--map->more == 0)
            go(map, KEYMAP_GROUND);
        break;
    default:
        if (byte < 0x80)
            play_ascii(map, byte, 0);
        else
            character_begins(map, byte);
    }
}

static bool keymap_waits(const struct keymap *map)
{
    return map->state != KEYMAP_GROUND && map->state != KEYMAP_UTF8;
}

static void keymap_set_alarm(struct keymap *map, bool waits)
{
    alarm_set(&map->alarm, waits ? clock_now(&map->clock) + KEYMAP_PATIENCE : ALARM_NEVER);
}

size_t keymap_receive(struct keymap *map, const uint8_t *bytes, size_t count)
{
    bool waited = keymap_waits(map);
    size_t taken = 0;

    while (taken < count && map->keys.ready(map->keys.self))
        keymap_byte(map, bytes[taken++]);
    if (taken > 0 && (waited || keymap_waits(map)))
        keymap_set_alarm(map, keymap_waits(map));
    return taken;
}

/* Nothing followed: these were keys of their own, not the beginning of one. */
void keymap_alarm(struct keymap *map)
{
    if (!keymap_waits(map))
        return;
    if (!map->keys.ready(map->keys.self)) {
        keymap_set_alarm(map, true);
        return;
    }
    if (map->state == KEYMAP_ESCAPE) {
        if (map->alt)
            play(map, KEY_ESC, 0);
        play(map, KEY_ESC, 0);
    } else if (map->state == KEYMAP_SS3) {
        play(map, KEY_O, ALT | SHIFT);
    } else if (map->state == KEYMAP_CSI && map->count == 0 && map->numbers[0] == 0) {
        play(map, KEY_LEFTBRACE, ALT);
    }
    go(map, KEYMAP_GROUND);
}

void keymap_init(struct keymap *map, struct key_sink keys, struct clock clock, struct alarm alarm)
{
    *map = (struct keymap){.keys = keys, .clock = clock, .alarm = alarm};
}

void keymap_on_pointer(struct keymap *map, struct pointer_sink pointer)
{
    map->pointer = pointer;
}
