/*
 * linux_guests.c: Debian from a disk, with its own kernel, its own initrd and systemd,
 * on two processors, and what its user does: transfers files, installs a package, makes
 * file systems, is connected to, gives memory back, talks to its host's agent, and powers
 * off. One guest for all tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "07-linux-boot/debian_guest.h"
#include "07-linux-boot/http_host.h"

#define TRANSFER_SIZE (8u << 20)

static struct guest guest;
static struct http_host http;
static unsigned forwarded; /* this port of the host is port 8000 of the guest */

/* TRANSFER_SIZE bytes like no others, below the guest's folder. */
static void make_random(const char *name)
{
    char *bytes = malloc(TRANSFER_SIZE);
    FILE *random = fopen("/dev/urandom", "r"), *file = fopen(guest_file(&guest, name), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(bytes, 1, TRANSFER_SIZE, random), TRANSFER_SIZE);
    ck_assert_uint_eq(fwrite(bytes, 1, TRANSFER_SIZE, file), TRANSFER_SIZE);
    fclose(file);
    fclose(random);
    free(bytes);
}

static void start(void)
{
    char network[60], disk[120], agent[120], monitor[120];
    const char *more[] = {"-nic",     network,
                          "-drive",   disk,
                          "-device",  "virtio-balloon-pci",
                          "-monitor", monitor,
                          "-chardev", agent,
                          "-device",  "virtio-serial-pci",
                          "-device",  "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
                          NULL};

    guest_make_folder(&guest);
    make_random("random");
    http_start(&http, guest.folder);
    close(http_any_port(&forwarded));
    snprintf(network, sizeof network, "user,hostfwd=tcp:127.0.0.1:%u-:8000", forwarded);
    guest_tool((const char *[]){harness_built("vmm-img"), "create", "-f", "qcow2",
                                guest_file(&guest, "second.qcow2"), "256M", NULL});
    snprintf(disk, sizeof disk, "file=%s,format=qcow2,if=virtio,serial=second",
             guest_file(&guest, "second.qcow2"));
    snprintf(agent, sizeof agent, "socket,id=agent,path=%s,server=on,wait=off",
             guest_file(&guest, "agent"));
    snprintf(monitor, sizeof monitor, "unix:%s,server=on,wait=off", guest_file(&guest, "monitor"));
    guest_start(&guest, "cloud", more);
}

static void end(void)
{
    guest_free(&guest);
}

START_TEST(systemd_is_up_on_two_processors)
{
    guest_says(&guest, "systemctl is-system-running --wait || systemctl --failed --no-pager",
               "running\r\n", 120);
    guest_says(&guest, "nproc", "2\r\n", 10);
    guest_says(&guest, "findmnt -nr -o SOURCE,FSTYPE,OPTIONS /", "/dev/vda ext4 rw,", 10);
    guest_says(&guest, "systemd-detect-virt", "kvm\r\n", 10);
}
END_TEST

/* Of its processor it may: the lab's has a fault, and others have their vulnerabilities. */
START_TEST(the_kernel_warns_of_nothing_in_the_machine)
{
    guest_does(&guest,
               "! dmesg -l emerg,alert,crit,err,warn | grep -Ei "
               "'acpi|apic|bios|clocksource|e820|firmware|i8042|pci|rtc|serio|ttys|tsc|virtio'",
               30);
}
END_TEST

/* The first 64 characters that sha256sum prints for a file of the host. */
static void sum_of(const char *path, char sum[65])
{
    const char *argv[] = {"sha256sum", path, NULL};
    struct program program = program_run(argv, NULL, 60);

    ck_assert_int_eq(program.status, 0);
    snprintf(sum, 65, "%s", program.out);
    program_free(&program);
}

START_TEST(a_file_comes_over_the_network_and_goes_back)
{
    char line[200], sent[65], back[65];

    sum_of(guest_file(&guest, "random"), sent);
    snprintf(line, sizeof line, "curl -sSf -o file http://10.0.2.2:%u/random && sha256sum file",
             http.port);
    guest_says(&guest, line, sent, 120);
    snprintf(line, sizeof line, "curl -sSf -T file -H Expect: http://10.0.2.2:%u/back", http.port);
    guest_does(&guest, line, 120);
    sum_of(guest_file(&guest, "back"), back);
    ck_assert_str_eq(back, sent);
}
END_TEST

/* A package of one file, in a repository of one package. */
static void make_repository(void)
{
    static const char script[] =
        "set -e; cd \"$1\"; mkdir -p package/DEBIAN package/usr/share\n"
        "echo 'a file of the package' >package/usr/share/ring\n"
        "printf 'Package: ring\\nVersion: 1\\nArchitecture: all\\n"
        "Maintainer: nobody <root@localhost>\\nDescription: a test\\n' >package/DEBIAN/control\n"
        "dpkg-deb --root-owner-group --build package ring.deb\n"
        "{ cat package/DEBIAN/control; echo Filename: ring.deb\n"
        "  echo Size: $(stat -c %s ring.deb)\n"
        "  echo SHA256: $(sha256sum ring.deb | cut -d ' ' -f 1); } >Packages\n";

    guest_tool((const char *[]){"sh", "-c", script, "sh", guest.folder, NULL});
}

START_TEST(apt_installs_a_package_from_the_host)
{
    char line[300];

    make_repository();
    snprintf(line, sizeof line,
             "echo 'deb [trusted=yes] http://10.0.2.2:%u ./' >/etc/apt/sources.list; "
             "rm -rf /etc/apt/sources.list.d/*; apt-get -q update",
             http.port);
    guest_does(&guest, line, 120);
    guest_does(&guest, "apt-get -q -y install ring", 120);
    guest_says(&guest, "cat /usr/share/ring", "a file of the package\r\n", 10);
}
END_TEST

/* Connects to the guest's port 8000 through the forwarded one, until somebody listens. */
static int connect_in(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)forwarded),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {.tv_sec = 60};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

START_TEST(the_host_connects_to_the_guest)
{
    char bytes[100] = "";
    size_t size = 0;
    ssize_t got;
    int fd;

    guest_does(&guest,
               "{ systemd-socket-activate -l 8000 --inetd -a tr a-z A-Z 2>/dev/null & }; "
               "until ss -tln | grep -q :8000; do sleep 0.2; done",
               30);
    fd = connect_in();
    ck_assert_int_eq(write(fd, "from the host\n", 14), 14);
    shutdown(fd, SHUT_WR);
    while (size < sizeof bytes - 1 && (got = read(fd, bytes + size, sizeof bytes - 1 - size)) > 0)
        size += (size_t)got;
    ck_assert_str_eq(bytes, "FROM THE HOST\n");
    close(fd);
    guest_does(&guest, "kill %1", 10);
}
END_TEST

START_TEST(a_second_disk_holds_a_file_system)
{
    guest_says(&guest, "lsblk -dnr -o SERIAL,SIZE /dev/vdb", "second 256M\r\n", 10);
    guest_does(&guest, "mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt", 60);
    guest_does(&guest, "dd if=/dev/urandom of=/mnt/file bs=1M count=64 status=none", 120);
    guest_does(&guest, "(cd /mnt && sha256sum file >file.sum) && umount /mnt", 120);
    guest_does(&guest, "fsck.ext4 -f -n /dev/vdb && mount /dev/vdb /mnt", 60);
    guest_says(&guest, "(cd /mnt && sha256sum -c file.sum)", "file: OK\r\n", 120);
    guest_does(&guest, "rm /mnt/file && fstrim /mnt && umount /mnt && sync", 60);
}
END_TEST

/* A connection to one of the VMM's UNIX sockets. */
static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 60};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", guest_file(&guest, name));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends a line; what comes back until nothing comes for a while must have this in it. */
static void ask(int fd, const char *line, const char *expected)
{
    char answer[4096] = "";
    size_t size = 0;
    ssize_t got;

    ck_assert_int_eq(write(fd, line, strlen(line)), (ssize_t)strlen(line));
    while (!strstr(answer, expected) && size < sizeof answer - 1 &&
           (got = read(fd, answer + size, sizeof answer - 1 - size)) > 0)
        size += (size_t)got;
    ck_assert_msg(strstr(answer, expected), "asked %s, answered %s, not %s", line, answer,
                  expected);
}

/* Asks the monitor until the guest has left itself that much; then it has it, or has not. */
static void balloon_to(int fd, const char *command, const char *reached)
{
    char answer[500] = "";
    ssize_t got;

    ck_assert_int_eq(write(fd, command, strlen(command)), (ssize_t)strlen(command));
    for (unsigned tries = 0; tries < 120 && !strstr(answer, reached); tries++) {
        sleep(1);
        ck_assert_int_eq(write(fd, "info balloon\n", 13), 13);
        got = read(fd, answer, sizeof answer - 1);
        answer[got > 0 ? got : 0] = '\0';
    }
    ck_assert_msg(strstr(answer, reached), "%s: not %s but %s", command, reached, answer);
}

START_TEST(the_balloon_takes_memory_and_gives_it_back)
{
    int fd = connect_to("monitor");

    guest_does(&guest,
               "free() { awk '/MemAvailable/ { print $2 }' /proc/meminfo; }; before=$(free)", 30);
    balloon_to(fd, "balloon 384\n", "actual=384 ");
    guest_does(&guest, "[ $(free) -lt $((before - 80000)) ]", 30);
    balloon_to(fd, "balloon 512\n", "actual=512 ");
    guest_does(&guest, "[ $(free) -gt $((before - 40000)) ]", 30);
    close(fd);
}
END_TEST

START_TEST(the_guest_agent_answers)
{
    int fd = connect_to("agent");

    ask(fd, "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1337}}\n", "{\"return\": 1337}");
    ask(fd, "{\"execute\":\"guest-get-host-name\"}\n", "{\"host-name\": \"guest\"}");
    ask(fd, "{\"execute\":\"guest-network-get-interfaces\"}\n", "10.0.2.15");
    close(fd);
    fd = connect_to("agent"); /* a second reader, as a daemon that was started anew */
    ask(fd, "{\"execute\":\"guest-fsfreeze-status\"}\n", "{\"return\": \"thawed\"}");
    close(fd);
}
END_TEST

START_TEST(power_off_ends_the_vmm_and_leaves_the_image_in_order)
{
    guest_power_off(&guest);
    guest_tool((const char *[]){"qemu-img", "check", guest_file(&guest, "second.qcow2"), NULL});
    http_stop(&http);
}
END_TEST

static Suite *guests_suite(void)
{
    Suite *suite = suite_create("Debian from a disk");
    TCase *tests = tcase_create("guest");
    const char *why = guest_missing("cloud");

    if (!why)
        tcase_add_unchecked_fixture(tests, start, end);
    harness_add(tests, systemd_is_up_on_two_processors, why);
    harness_add(tests, the_kernel_warns_of_nothing_in_the_machine, why);
    harness_add(tests, a_file_comes_over_the_network_and_goes_back, why);
    harness_add(tests, the_host_connects_to_the_guest, why);
    harness_add(tests, a_second_disk_holds_a_file_system, why);
    harness_add(tests, apt_installs_a_package_from_the_host, why);
    harness_add(tests, the_balloon_takes_memory_and_gives_it_back, why);
    harness_add(tests, the_guest_agent_answers, why);
    harness_add(tests, power_off_ends_the_vmm_and_leaves_the_image_in_order, why);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    setenv("CK_FORK", "no", 1);
    return harness_main(guests_suite());
}
