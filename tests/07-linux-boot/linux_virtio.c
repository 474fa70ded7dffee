/*
 * linux_virtio.c: Debian's own virtio drivers against our devices, in a guest that
 * virtio/initramfs makes and whose virtio/what-to-do says what it does and sees.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/harness.h"

#define KERNEL "build/kernels/cloud/vmlinuz"
#define INITRD "build/guest/virtio.cpio"
#define QUIET  "console=ttyS0 quiet panic=-1 cryptomgr.notests ring.mode=script ring.do="

/* A guest may take this long, in seconds; some ten are usual. */
#define LIMIT 120.0

static char image[] = "/tmp/linux_virtio.XXXXXX";

static void make_image(off_t size)
{
    int fd;

    strcpy(image, "/tmp/linux_virtio.XXXXXX");
    fd = mkstemp(image);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    close(fd);
}

static struct program run(const char *what, const char *option, const char *value)
{
    char append[200];
    const char *argv[] = {
        harness_built("vmm"), "-kernel", KERNEL, "-initrd", INITRD, "-append", append,
        "-no-reboot",         option,    value,  NULL};

    snprintf(append, sizeof append, QUIET "%s", what);
    return program_run(argv, NULL, LIMIT);
}

static void expect(const struct program *guest, const char *line)
{
    if (!strstr(guest->out, line))
        e2e_fail("book/05-virtio.md", line, "the driver and the device do not agree",
                 "status %d, standard error \"%s\", and\n%s", guest->status, guest->err,
                 guest->out);
}

START_TEST(a_file_system_lives_on_a_virtio_disk)
{
    char drive[100];
    struct program guest;

    make_image(64 << 20);
    snprintf(drive, sizeof drive, "file=%s,if=virtio,serial=ring-disk-1", image);
    guest = run("disk", "-drive", drive);
    unlink(image);
    expect(&guest, "do: size 131072, queue 254 segments");
    expect(&guest, "do: serial ring-disk-1, read-only 0");
    expect(&guest, "do: cache write back");
    expect(&guest, "do: mkfs: ok");
    expect(&guest, "do: mount: ok");
    expect(&guest, "do: file: the same");
    expect(&guest, "do: trim: ok");
    expect(&guest, "PCI-MSI");
    expect(&guest, "do: disk done");
    ck_assert_int_eq(guest.status, 0);
    program_free(&guest);
}
END_TEST

START_TEST(linux_draws_from_the_entropy_device)
{
    struct program guest = run("entropy", "-device", "virtio-rng-pci");

    expect(&guest, "do: source virtio_rng.0");
    expect(&guest, "do: bytes: some");
    program_free(&guest);
}
END_TEST

/* A program on the host that sends back what it gets, on one connection. */
static void *echo(void *listener)
{
    char bytes[65536];
    int peer = accept(*(int *)listener, NULL, NULL);
    ssize_t got;

    while (peer >= 0 && (got = read(peer, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0, sent; at < got; at += sent)
            if ((sent = write(peer, bytes + at, (size_t)(got - at))) <= 0)
                return NULL;
    close(peer);
    return NULL;
}

START_TEST(the_guest_reaches_the_host_without_root)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct program guest;
    pthread_t thread;
    char what[60];

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, echo, &listener), 0);
    snprintf(what, sizeof what, "network ring.port=%u", ntohs(address.sin_port));
    guest = run(what, "-nic", "user");
    expect(&guest, "do: lease 10.0.2.15/24 router 10.0.2.2 names 10.0.2.3");
    expect(&guest, "do: ping: 3 answers");
    expect(&guest, "do: echo: the same");
    pthread_join(thread, NULL);
    close(listener);
    program_free(&guest);
}
END_TEST

static Suite *virtio_suite(void)
{
    Suite *suite = suite_create("Linux's virtio drivers");
    TCase *tests = tcase_create("drivers");
    const char *why = harness_no_kvm();

    if (!why && access(INITRD, R_OK) != 0)
        why = INITRD " is missing: tests/07-linux-boot/virtio/initramfs makes it";
    tcase_set_timeout(tests, 4 * LIMIT);
    harness_add(tests, a_file_system_lives_on_a_virtio_disk, why);
    harness_add(tests, linux_draws_from_the_entropy_device, why);
    harness_add(tests, the_guest_reaches_the_host_without_root, why);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(virtio_suite());
}
