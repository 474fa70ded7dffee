/*
 * linux_console.c: Debian's virtio_console driver against ours, with programs of the host
 * at the other ends: a named port and a console on UNIX sockets, a serial port in a file.
 * virtio/what-to-do says what the guest does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "07-linux-boot/linux_guest.h"

#define SIZE 300000u /* as what-to-do */

static void *send_all(void *self)
{
    const char *bytes = self;
    int fd = *(const int *)(bytes + SIZE);

    for (ssize_t sent = 0, part; sent < SIZE; sent += part)
        if ((part = write(fd, bytes + sent, SIZE - (size_t)sent)) <= 0)
            break;
    return NULL;
}

/* A program that talks with the guest: it sends SIZE bytes and wants them back. */
static void *agent(void *same)
{
    static struct {
        char bytes[SIZE];
        int fd;
    } sent;
    static char back[SIZE];
    FILE *random = fopen("/dev/urandom", "r");
    pthread_t sender;
    ssize_t got = 0, part;

    ck_assert_uint_eq(fread(sent.bytes, 1, SIZE, random), SIZE);
    fclose(random);
    sent.fd = call("agent");
    pthread_create(&sender, NULL, send_all, &sent);
    while (got < SIZE && (part = read(sent.fd, back + got, SIZE - (size_t)got)) > 0)
        got += part;
    pthread_join(sender, NULL);
    *(bool *)same = got == SIZE && memcmp(sent.bytes, back, SIZE) == 0;
    close(sent.fd);
    return NULL;
}

/* A person at /dev/hvc0. */
static void *person(void *screen)
{
    char *text = screen;
    size_t size = 0;
    ssize_t got;
    int fd = call("hvc");

    ck_assert_int_eq(write(fd, "typed on hvc0\n", 14), 14);
    while (size < 999 && (got = read(fd, text + size, 999 - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    close(fd);
    return NULL;
}

static void expect(const char *text, const char *line)
{
    if (!strstr(text, line))
        e2e_fail("book/05-virtio.md", line, "the driver and the device do not agree", "%s", text);
}

/* A guest on that machine, whose first serial port is the terminal; what it has printed. */
static struct program talk(const char *machine, const char *host, const char *serial, char *screen)
{
    struct arguments arguments;
    struct program guest;
    pthread_t threads[2];
    bool same = false;

    linux_arguments(&arguments, SCRIPT_INITRD, SCRIPTED "ports",
                    OPTIONS("-M", machine, "-no-reboot", "-chardev",
                            "socket,path=FOLDER/agent,server=on,wait=off,id=agent", "-chardev",
                            "socket,path=FOLDER/hvc,server=on,wait=off,id=hvc", "-device", host,
                            "-device", "virtserialport,bus=vs.0,chardev=agent,name=org.ring.agent",
                            "-device", "virtconsole,chardev=hvc", "-serial", "mon:stdio",
                            serial ? "-serial" : NULL, serial));
    pthread_create(&threads[0], NULL, agent, &same);
    pthread_create(&threads[1], NULL, person, screen);
    guest = program_run(arguments.list, NULL, BOOT);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    ck_assert_msg(guest.status == 0, "status %d, \"%s\", and\n%s", guest.status, guest.err,
                  guest.out);
    ck_assert_msg(same, "the port changed or lost bytes");
    return guest;
}

static void expect_ports(const struct program *guest, const char *screen)
{
    expect(guest->out, "do: port vport0p0 has no name");
    expect(guest->out, "do: port vport0p1 org.ring.agent");
    expect(guest->out, "do: hvc0: typed on hvc0");
    expect(guest->out, "do: ports done");
    expect(screen, "printed on hvc0");
}

START_TEST(named_ports_consoles_and_serial_ports_reach_programs_of_the_host)
{
    char log[1000] = "", screen[1000] = "";
    struct program guest;
    FILE *in;

    guest = talk("pc", "virtio-serial-pci,id=vs", "file:FOLDER/log", screen);
    expect_ports(&guest, screen);
    in = fopen(file("log"), "r");
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_lt(fread(log, 1, sizeof log - 1, in), sizeof log - 1);
    fclose(in);
    expect(log, "printed on ttyS1");
    unlink(file("log"));
    ck_assert_int_eq(rmdir(folder), 0); /* no socket is left behind */
    program_free(&guest);
}
END_TEST

START_TEST(the_lean_machine_has_ports_as_well)
{
    char screen[1000] = "";
    struct program guest;

    guest = talk("microvm", "virtio-serial-device,id=vs", NULL, screen);
    expect_ports(&guest, screen);
    ck_assert_int_eq(rmdir(folder), 0);
    program_free(&guest);
}
END_TEST

static Suite *console_suite(void)
{
    Suite *suite = suite_create("Linux's consoles");
    TCase *tests = tcase_create("ports");
    const char *why = no_linux(SCRIPT_INITRD);

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 2 * BOOT);
    harness_add(tests, named_ports_consoles_and_serial_ports_reach_programs_of_the_host, why);
    harness_add(tests, the_lean_machine_has_ports_as_well, why);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(console_suite());
}
