/*
 * linux_vnc.c: Debian's kernel finds the screen, the keyboard and the mouse that -vnc plugs
 * in. What a client sees of them is in kvm_vnc.c.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "harness/harness.h"

#define KERNEL "build/kernels/cloud/vmlinuz"
#define INITRD "build/guest/initramfs.cpio"
#define ROM    "/usr/share/seabios/vgabios-stdvga.bin"
#define PROMPT "guest:/root# "
#define BOOT   90.0

static struct terminal terminal;

/* Of the socket: not where the tree is, which in the lab is a file system without sockets. */
static char folder[] = "/tmp/linux_vnc.XXXXXX", place[50];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(place, sizeof place, "unix:%s/socket", folder);
}

static void remove_folder(void)
{
    unlink(place + strlen("unix:"));
    rmdir(folder);
}

static void expect_answer(const char *command, const char *text)
{
    char line[128];

    terminal_type(&terminal, command);
    terminal_type(&terminal, "\r");
    snprintf(line, sizeof line, "\n%s\r", text);
    terminal_expect(&terminal, line, 30);
    terminal_expect(&terminal, PROMPT, 30);
}

START_TEST(a_kernel_finds_screen_keyboard_and_mouse)
{
    const char *argv[] = {harness_built("vmm"),
                          "-kernel",
                          KERNEL,
                          "-initrd",
                          INITRD,
                          "-append",
                          "console=tty0 console=ttyS0 quiet panic=-1 cryptomgr.notests",
                          "-vnc",
                          place,
                          NULL};

    terminal_start(&terminal, argv);
    terminal_expect(&terminal, PROMPT, BOOT);
    expect_answer("dmesg | grep -o 'colour VGA+ 80x25'", "colour VGA+ 80x25");
    expect_answer("grep -c 'AT Translated Set 2 keyboard' /proc/bus/input/devices", "1");
    expect_answer("ls /sys/bus/serio/devices | wc -l", "2"); /* sockets with something in them */
    expect_answer("cut -d' ' -f1 /proc/consoles | xargs", "ttyS0 tty0");
    terminal_type(&terminal, "poweroff\r");
    ck_assert_int_eq(terminal_wait(&terminal, 60), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

/* NULL if all is there, else why not. */
static const char *no_linux(void)
{
    if (harness_no_kvm())
        return harness_no_kvm();
    if (access(KERNEL, R_OK) < 0)
        return "no " KERNEL ": common/kernel cloud fetches it";
    if (access(INITRD, R_OK) < 0)
        return "no " INITRD ": chapters/07-linux-boot/initramfs builds it";
    return access(ROM, R_OK) < 0 ? "no " ROM ": common/deps test installs it" : NULL;
}

int main(void)
{
    Suite *suite = suite_create("07 linux and a screen");
    TCase *tests = tcase_create("vnc");

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_set_timeout(tests, 3 * BOOT);
    harness_add(tests, a_kernel_finds_screen_keyboard_and_mouse, no_linux());
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
