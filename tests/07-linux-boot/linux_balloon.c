/*
 * linux_balloon.c: Debian's balloon driver against ours: memory goes back to the host and
 * comes again, because the monitor asks for it or because the guest says what is free.
 * virtio/what-to-do says what the guest does.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "07-linux-boot/linux_guest.h"

static void start(struct terminal *vmm, const char *device)
{
    struct arguments arguments;

    linux_arguments(&arguments, SCRIPT_INITRD, SCRIPTED "balloon",
                    OPTIONS("-m", "512", "-no-reboot", "-device", device, "-monitor",
                            "unix:FOLDER/monitor,server=on,wait=off"));
    terminal_start(vmm, arguments.list);
    terminal_expect(vmm, "do: touched", BOOT);
}

/* A line of /proc/PID/status that is in KiB, in MiB. */
static unsigned status_of(const struct terminal *vmm, const char *format)
{
    char name[60], line[200];
    unsigned kib = 0;
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/status", vmm->pid);
    file = fopen(name, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) && sscanf(line, format, &kib) != 1)
        continue;
    fclose(file);
    return kib / 1024;
}

/* The process's memory, in MiB. */
static unsigned resident(const struct terminal *vmm)
{
    return status_of(vmm, "VmRSS: %u");
}

/* Says a line to the monitor; what it answers, up to the next prompt. */
static void say(int monitor, const char *line, char answer[1000])
{
    size_t size = 0;
    ssize_t got;

    ck_assert_int_eq(write(monitor, line, strlen(line)), (ssize_t)strlen(line));
    do {
        got = read(monitor, answer + size, 999 - size);
        ck_assert_int_gt(got, 0);
        size += (size_t)got;
        answer[size] = '\0';
    } while (!strstr(answer, "(vmm) "));
}

static int call_monitor(void)
{
    char answer[1000];
    int fd = call("monitor");

    ck_assert_int_gt(read(fd, answer, sizeof answer), 0); /* the prompt */
    return fd;
}

static void wait_for(int monitor, const char *question, const char *words)
{
    char answer[1000];

    for (unsigned i = 0; i < 150; i++) {
        say(monitor, question, answer);
        if (strstr(answer, words))
            return;
        usleep(200000);
    }
    ck_abort_msg("no \"%s\" in 30 s; the last was \"%s\"", words, answer);
}

START_TEST(the_balloon_is_squeezed_and_released)
{
    struct terminal vmm;
    unsigned before, squeezed;
    char answer[1000];
    int monitor;

    start(&vmm, "virtio-balloon-pci");
    before = resident(&vmm);
    monitor = call_monitor();
    say(monitor, "balloon 200\n", answer);
    wait_for(monitor, "info balloon\n", "actual=200 target=200");
    squeezed = resident(&vmm);
    printf("# balloon 512 -> 200 MiB: the VMM has %u MiB, then %u\n", before, squeezed);
    ck_assert_uint_gt(before, 200);
    ck_assert_uint_lt(squeezed, before - 100);
    wait_for(monitor, "info balloon\n", "guest: total=");
    terminal_type(&vmm, "\r");
    terminal_expect(&vmm, "do: free ", BOOT);
    ck_assert(!terminal_sees(&vmm, "free 3", 1)); /* 300 MiB and more are the balloon's */
    say(monitor, "balloon 512\n", answer);
    wait_for(monitor, "info balloon\n", "actual=512 target=512");
    terminal_type(&vmm, "\r");
    terminal_expect(&vmm, "do: touched again", BOOT);
    ck_assert_uint_gt(resident(&vmm), 200);
    terminal_expect(&vmm, "do: zeros", BOOT);
    terminal_expect(&vmm, "do: balloon done", BOOT);
    ck_assert_int_eq(terminal_wait(&vmm, BOOT), 0);
    close(monitor);
    terminal_free(&vmm);
}
END_TEST

START_TEST(free_pages_are_reported)
{
    struct terminal vmm;
    unsigned before, now;

    start(&vmm, "virtio-balloon-pci,free-page-reporting=on");
    before = status_of(&vmm, "VmHWM: %u"); /* some may have been reported by now */
    for (unsigned i = 0; i < 150 && (now = resident(&vmm)) + 100 > before; i++)
        usleep(200000);
    printf("# free page reporting: the VMM has %u MiB, then %u\n", before, now);
    ck_assert_uint_lt(now + 100, before + 1);
    terminal_type(&vmm, "\r\r");
    terminal_expect(&vmm, "do: touched again", BOOT);
    terminal_expect(&vmm, "do: zeros", BOOT);
    ck_assert_int_eq(terminal_wait(&vmm, BOOT), 0);
    terminal_free(&vmm);
}
END_TEST

static Suite *balloon_suite(void)
{
    Suite *suite = suite_create("Linux's balloon");
    TCase *tests = tcase_create("balloon");
    const char *why = no_linux(SCRIPT_INITRD);

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 5 * BOOT);
    harness_add(tests, the_balloon_is_squeezed_and_released, why);
    harness_add(tests, free_pages_are_reported, why);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(balloon_suite());
}
