/*
 * kvm_vnc.c: a VNC client looks at a guest and types to it: guest/screen.asm, which says
 * "Ring -1" and shows what codes its keyboard sends. The client knows just enough of the
 * protocol; every pixel that it gets is compared.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "07-linux-boot/vmm_guest.h"
#include "07-linux-boot/vnc/picture.h"

#define ROM   "/usr/share/seabios/vgabios-stdvga.bin"
#define LIMIT 20.0

static struct terminal vmm;

static uint32_t seen[PICTURE_HEIGHT][PICTURE_WIDTH];
static struct picture expected;
static struct text_frame frame;

static void start(const char *extra)
{
    struct arguments arguments;
    static uint8_t rom[262144];
    FILE *file = fopen(ROM, "rb");

    ck_assert_ptr_nonnull(file);
    picture_init(&expected, font_find(rom, fread(rom, 1, sizeof rom, file)));
    fclose(file);
    ck_assert_ptr_nonnull(expected.font);
    arguments_init(
        &arguments, OPTIONS("-kernel", harness_built("07-linux-boot/screen.bin")),
        OPTIONS("-m", "64", "-name", "shown", "-serial", "null", "-vnc", "unix:FOLDER/vnc", extra));
    terminal_start(&vmm, arguments.list);
    for (unsigned i = 0; i < 100 && !is_there("vnc"); i++)
        usleep(50000);
    for (unsigned row = 0; row < TEXT_ROWS; row++)
        for (unsigned column = 0; column < TEXT_COLUMNS; column++)
            frame.cells[row][column] = 0x0720;
    for (unsigned i = 0; i < 7; i++)
        frame.cells[0][i] = (uint16_t)(0x1e00 | (uint8_t) "Ring -1"[i]);
    frame.cursor = true;
}

/* ---- RFB [RFB, 7.1 "Handshake Messages", 7.3 "Initialization Messages"] ---- */

static bool take(int fd, void *to, size_t count)
{
    for (uint8_t *at = to; count > 0;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&readable, 1, 10000) > 0 ? read(fd, at, count) : 0;

        if (got <= 0)
            return false;
        at += got;
        count -= (size_t)got;
    }
    return true;
}

static void give(int fd, const void *bytes, size_t count)
{
    ck_assert_int_eq(send(fd, bytes, count, MSG_NOSIGNAL), (ssize_t)count);
}

static int connect_client(void)
{
    static const uint8_t raw[] = {2, 0, 0, 1, 0, 0, 0, 0};
    uint8_t text[64], types[256], count, size[4];
    uint32_t length;
    int fd = call("vnc");

    ck_assert(take(fd, text, 12));
    ck_assert_int_eq(memcmp(text, "RFB 003.008\n", 12), 0);
    give(fd, "RFB 003.008\n", 12);
    ck_assert(take(fd, &count, 1) && take(fd, types, count) && memchr(types, 1, count));
    give(fd, "\1", 1); /* no password */
    ck_assert(take(fd, &length, 4) && length == 0);
    give(fd, "\1", 1); /* others may watch, too */
    ck_assert(take(fd, size, 4) && take(fd, text, 16) && take(fd, &length, 4));
    ck_assert_uint_eq(size[0] << 8 | size[1], PICTURE_WIDTH);
    ck_assert_uint_eq(size[2] << 8 | size[3], PICTURE_HEIGHT);
    ck_assert_uint_eq(__builtin_bswap32(length), 5);
    ck_assert(take(fd, text, 5) && memcmp(text, "shown", 5) == 0);
    give(fd, raw, sizeof raw);
    return fd;
}

static void take_rectangle(int fd)
{
    uint16_t at[6]; /* x, y, width, height, and the encoding: 0 */

    ck_assert(take(fd, at, sizeof at));
    for (unsigned i = 0; i < 6; i++)
        at[i] = (uint16_t)(at[i] >> 8 | at[i] << 8);
    ck_assert_uint_eq(at[4] | at[5], 0);
    ck_assert(at[0] + at[2] <= (int)PICTURE_WIDTH && at[1] + at[3] <= (int)PICTURE_HEIGHT);
    for (unsigned y = 0; y < at[3]; y++)
        ck_assert(take(fd, &seen[at[1] + y][at[0]], at[2] * sizeof seen[0][0]));
}

static void look(int fd)
{
    static const uint8_t all[] = {3,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  PICTURE_WIDTH >> 8,
                                  PICTURE_WIDTH & 0xff,
                                  PICTURE_HEIGHT >> 8,
                                  PICTURE_HEIGHT & 0xff};
    uint8_t head[4];

    give(fd, all, sizeof all);
    ck_assert(take(fd, head, sizeof head) && head[0] == 0);
    for (unsigned i = head[2] << 8 | head[3]; i > 0; i--)
        take_rectangle(fd);
}

/* The picture becomes what the frame says, soon. */
static void expect_picture(int fd)
{
    picture_draw(&expected, &frame);
    for (unsigned i = 0; i < 50; i++) {
        look(fd);
        if (memcmp(seen, expected.pixels, sizeof seen) == 0)
            return;
        usleep(50000);
    }
    for (unsigned y = 0; y < PICTURE_HEIGHT; y++)
        for (unsigned x = 0; x < PICTURE_WIDTH; x++)
            ck_assert_msg(seen[y][x] == expected.pixels[y][x], "%u,%u is %06x, not %06x", x, y,
                          seen[y][x], expected.pixels[y][x]);
}

static void press(int fd, uint32_t keysym)
{
    uint8_t event[] = {4,
                       1,
                       0,
                       0,
                       (uint8_t)(keysym >> 24),
                       (uint8_t)(keysym >> 16),
                       (uint8_t)(keysym >> 8),
                       (uint8_t)keysym};

    give(fd, event, sizeof event);
    event[1] = 0;
    give(fd, event, sizeof event);
}

static void expect_end(int status)
{
    ck_assert_int_eq(terminal_wait(&vmm, LIMIT), status);
    terminal_free(&vmm);
}

/* Scan code set 1: A is 0x1e, released 0x9e; Q is 0x10, after which the guest ends. */
START_TEST(a_client_sees_the_screen_and_types)
{
    int fd;

    start(NULL);
    fd = connect_client();
    expect_picture(fd);
    press(fd, 'a');
    frame.cells[1][0] = 0x071e;
    frame.cells[1][1] = 0x079e;
    expect_picture(fd);
    press(fd, 'q');
    expect_end(STATUS_OFF);
    while (take(fd, seen, 1)) /* vmm-vnc goes with the VMM */
        ;
    close(fd);
    for (unsigned i = 0; i < 100 && is_there("vnc"); i++)
        usleep(50000);
    ck_assert(!is_there("vnc"));
}
END_TEST

START_TEST(clients_come_and_go_and_say_what_they_like)
{
    uint32_t x = 3;
    int fd;

    start(NULL);
    for (unsigned i = 0; i < 30; i++) {
        uint8_t noise[256];

        fd = i % 2 ? call("vnc") : connect_client();
        for (unsigned n = 0; n < sizeof noise; n++) {
            x = x * 1664525 + 1013904223;
            noise[n] = (uint8_t)(x >> 24);
        }
        if (i % 2 == 0)
            noise[0] = (uint8_t)(i / 2); /* each kind of message there is, and some that are not */
        if (i / 2 != 4)                  /* a key might be Q */
            ck_assert_int_gt(send(fd, noise, sizeof noise, MSG_NOSIGNAL), 0);
        close(fd);
    }
    fd = connect_client();
    expect_picture(fd);
    press(fd, 'q');
    expect_end(STATUS_OFF);
    close(fd);
}
END_TEST

START_TEST(a_signal_ends_both)
{
    int fd;

    start(NULL);
    fd = connect_client();
    kill(vmm.pid, SIGTERM);
    expect_end(128 + SIGTERM);
    while (take(fd, seen, 1))
        ;
    close(fd);
}
END_TEST

START_TEST(what_cannot_be_shown_is_refused)
{
    const char *taken[] = {
        harness_built("vmm"),   "-kernel", harness_built("07-linux-boot/screen.bin"), "-vnc",
        "unix:/nowhere/socket", NULL};
    const char *lean[] = {harness_built("vmm"),
                          "-kernel",
                          harness_built("07-linux-boot/screen.bin"),
                          "-M",
                          "microvm",
                          "-vnc",
                          ":1",
                          NULL};

    e2e_run(taken, STATUS_REFUSED, "", "/nowhere/socket: cannot listen", "no such folder",
            "A screen for others");
    e2e_run(lean, STATUS_REFUSED, "", "a microvm has no screen", "it has no VGA",
            "A screen for others");
}
END_TEST

/* NULL if a screen can be shown. */
static const char *no_screen(void)
{
    if (harness_no_kvm())
        return harness_no_kvm();
    return access(ROM, R_OK) < 0 ? "no " ROM ": common/deps test installs it" : NULL;
}

int main(void)
{
    Suite *suite = suite_create("07 vnc clients");
    TCase *tests = tcase_create("vnc");

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    harness_add(tests, a_client_sees_the_screen_and_types, no_screen());
    harness_add(tests, clients_come_and_go_and_say_what_they_like, no_screen());
    harness_add(tests, a_signal_ends_both, no_screen());
    harness_add(tests, what_cannot_be_shown_is_refused, no_screen());
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
