/*
 * kvm_text.c: characters through the whole machine, from a person's terminal to a guest's
 * driver and back to the screen.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "04-devices/ending.h"
#include "vt.h"
#include "harness/harness.h"

#define SECTION "book/04-devices.md, \"A keyboard and a screen\""

static struct terminal terminal;
static struct vt vt;
static size_t shown; /* bytes of terminal.screen that vt has seen */

static void start(const char *option, const char *guest)
{
    char bin[64];

    snprintf(bin, sizeof bin, "04-devices/%s.bin", guest);
    memset(&vt, 0, sizeof vt);
    shown = 0;
    terminal_start(&terminal, (const char *[]){harness_built("devices"), option, "--screen",
                                               harness_built(bin), NULL});
}

/* Waits until a row shows text, for five seconds at most. */
static void expect_row(unsigned row, const char *text)
{
    for (unsigned i = 0; i < 100; i++) {
        shown += vt_show(&vt, terminal.screen + shown);
        if (strcmp(vt_row(&vt, row), text) == 0)
            return;
        terminal_sees(&terminal, "(nothing says this)", 0.05);
    }
    e2e_fail(SECTION, text, "a key or a cell is lost on its way", "row %u: \"%s\"", row,
             vt_row(&vt, row));
}

static const char *const irqchips[] = {"--irqchip=kernel", "--irqchip=user"};

START_TEST(what_is_typed_is_on_the_screen)
{
    start(irqchips[_i], "keys");
    expect_row(0, " ♥ Type. Enter, Backspace and Shift work; Esc ends.");
    ck_assert_str_eq(vt.colours[0][1], "0;97;44");
    terminal_type(&terminal, "Hello, World!\rabc\x7f"
                             "D~ [{\\|");
    expect_row(1, "Hello, World!");
    expect_row(2, "abD~ [{\\|");
    ck_assert_str_eq(vt.colours[2][0], "0;37;40");
    ck_assert(vt.cursor);
    ck_assert_uint_eq(vt.row * 100 + vt.column, 209);
    terminal_type(&terminal, "\033[A\033OP\033[3~x"); /* keys that this guest does not know */
    expect_row(2, "abD~ [{\\|x");
    terminal_type(&terminal, "\033");
    expect_row(2, "abD~ [{\\|x ☺");
    ck_assert_int_eq(terminal_wait(&terminal, 5), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

START_TEST(a_text_pasted_at_once_loses_no_key)
{
    char text[1001], row[81] = "";

    for (unsigned i = 0; i < 1000; i++)
        text[i] = "aBcDeFgHiJ;:'\"<>"[i * 7 % 16];
    text[1000] = '\0';
    start(irqchips[_i], "keys");
    expect_row(0, " ♥ Type. Enter, Backspace and Shift work; Esc ends.");
    terminal_type(&terminal, text);
    for (unsigned i = 0; i < 12; i++) {
        memcpy(row, text + i * 80, 80);
        expect_row(1 + i, row);
    }
    terminal_type(&terminal, "\033");
    ck_assert_int_eq(terminal_wait(&terminal, 5), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

START_TEST(the_screen_scrolls_and_a_small_terminal_follows)
{
    start(irqchips[_i], "keys");
    expect_row(0, " ♥ Type. Enter, Backspace and Shift work; Esc ends.");
    terminal_type(&terminal, "first\rsecond\r");
    expect_row(2, "second");
    for (unsigned i = 0; i < 22; i++)
        terminal_type(&terminal, "\r");
    terminal_type(&terminal, "last"); /* on the 25th line of a terminal of 24 */
    expect_row(23, "last");
    expect_row(0, "second");
    terminal_type(&terminal, "\001x");
    ck_assert_int_eq(terminal_wait(&terminal, 5), STATUS_OFF);
    ck_assert_ptr_nonnull(strstr(terminal.screen, "\033[?7h\033[?25h")); /* given back */
    ck_assert_ptr_nonnull(strstr(terminal.screen, "\033[?1002h"));       /* the mouse, asked for */
    ck_assert_ptr_nonnull(strstr(terminal.screen, "\033[?1002l"));       /* ... and given back */
    terminal_free(&terminal);
}
END_TEST

START_TEST(rep_outsb_of_65535_bytes_arrives_whole)
{
    const char *argv[] = {harness_built("devices"), irqchips[_i],
                          harness_built("04-devices/outs.bin"), NULL};
    struct program ran = program_run(argv, NULL, 60);
    char line[80];

    ck_assert_int_eq(ran.status, STATUS_OFF);
    ck_assert_uint_eq(ran.out_size, 65535);
    for (unsigned i = 0; i < 1024; i++) {
        size_t length = i < 1023 ? 64 : 63;

        snprintf(line, sizeof line,
                 "%04u abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234%s\n", i + 1,
                 i < 1023 ? "5" : "");
        if (memcmp(ran.out + i * 64, line, length) != 0)
            e2e_fail("book/04-devices.md, \"The bus\"", line, "the port moved with the pointer",
                     "%.*s", (int)length, ran.out + i * 64);
    }
    program_free(&ran);
}
END_TEST

START_TEST(without_debug_exit_port_f4_is_nothing)
{
    const char *argv[] = {harness_built("devices"), harness_built("04-devices/post.bin"), NULL};

    e2e_run(argv, STATUS_OFF, "written by rep outsb\n", "", "the port is there unasked", SECTION);
}
END_TEST

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    Suite *suite = suite_create("chapter 4, text");
    TCase *tests = tcase_create("text");

    tcase_set_timeout(tests, 120);
    if (no_kvm) {
        printf("SKIP what_is_typed_is_on_the_screen and three more: %s\n", no_kvm);
    } else {
        tcase_add_loop_test(tests, what_is_typed_is_on_the_screen, 0, 2);
        tcase_add_loop_test(tests, a_text_pasted_at_once_loses_no_key, 0, 2);
        tcase_add_loop_test(tests, the_screen_scrolls_and_a_small_terminal_follows, 0, 2);
        tcase_add_loop_test(tests, rep_outsb_of_65535_bytes_arrives_whole, 0, 2);
    }
    harness_add(tests, without_debug_exit_port_f4_is_nothing, no_kvm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
