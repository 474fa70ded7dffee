/*
 * linux_kernels.c: Debian's other kernels, each with the initrd Debian made for it, find
 * our devices, start systemd from the disk, and power off.
 */
#define _GNU_SOURCE
#include "07-linux-boot/debian_guest.h"

static struct guest guest;

/* build/guest-disk/NAME/release */
static void read_release(const char *name, char release[64])
{
    char path[80];
    FILE *file;

    snprintf(path, sizeof path, "build/guest-disk/%s/release", name);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%63s", release), 1);
    fclose(file);
}

static void lives(const char *kernel)
{
    const char *more[] = {"-nic", "user", NULL};
    char release[64];

    read_release(kernel, release);
    guest_make_folder(&guest);
    guest_start(&guest, kernel, more);
    guest_says(&guest, "uname -r", release, 30);
    guest_says(&guest, "nproc", "2\r\n", 30);
    guest_says(&guest, "systemctl is-system-running --wait || systemctl --failed --no-pager",
               "running\r\n", GUEST_BOOT);
    guest_says(&guest, "networkctl --no-pager list; ip -4 -br -color=never address", "10.0.2.15/24",
               30);
    guest_power_off(&guest);
    guest_free(&guest);
}

START_TEST(debians_kernel_for_every_computer_runs)
{
    lives("generic");
}
END_TEST

START_TEST(a_kernel_of_another_version_runs)
{
    lives("other");
}
END_TEST

static Suite *kernels_suite(void)
{
    Suite *suite = suite_create("Debian's kernels");
    TCase *tests = tcase_create("kernels");

    harness_add(tests, a_kernel_of_another_version_runs, guest_missing("other"));
    harness_add(tests, debians_kernel_for_every_computer_runs, guest_missing("generic"));
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    setenv("CK_FORK", "no", 1);
    return harness_main(kernels_suite());
}
