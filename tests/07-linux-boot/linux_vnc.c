/*
 * linux_vnc.c: Debian's kernel finds the screen, the keyboard and the mouse that -vnc plugs
 * in. What a client sees of them is in kvm_vnc.c.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/linux_guest.h"

#define ROM "/usr/share/seabios/vgabios-stdvga.bin"

START_TEST(a_kernel_finds_screen_keyboard_and_mouse)
{
    SHELL_START("console=tty0 " QUIET, "-vnc", "unix:FOLDER/socket");
    terminal_expect(&terminal, PROMPT, BOOT);
    shell_says("dmesg | grep -o 'colour VGA+ 80x25'", "colour VGA+ 80x25");
    shell_says("grep -c 'AT Translated Set 2 keyboard' /proc/bus/input/devices", "1");
    shell_says("ls /sys/bus/serio/devices | wc -l", "2"); /* sockets with something in them */
    shell_says("cut -d' ' -f1 /proc/consoles | xargs", "ttyS0 tty0");
    shell_off("poweroff\r");
}
END_TEST

static const char *no_screen(void)
{
    const char *why = no_linux(SHELL_INITRD);

    if (!why && access(ROM, R_OK) < 0)
        why = "no " ROM ": common/deps test installs it";
    return why;
}

int main(void)
{
    Suite *suite = suite_create("07 linux and a screen");
    TCase *tests = tcase_create("vnc");

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 3 * BOOT);
    harness_add(tests, a_kernel_finds_screen_keyboard_and_mouse, no_screen());
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
