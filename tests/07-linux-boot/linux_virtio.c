/*
 * linux_virtio.c: Debian's own virtio drivers against our devices, in a guest that
 * virtio/initramfs makes and whose virtio/what-to-do says what it does and sees. Long, because
 * the host's half of each network stands here, too.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bits.h"

#include "07-linux-boot/linux_guest.h"

static void expect(const struct program *guest, const char *line)
{
    script_says(guest, line, "book/05-virtio.md");
}

START_TEST(a_file_system_lives_on_a_virtio_disk)
{
    struct program guest;

    make_sparse("disk.img", 64 << 20);
    guest = SCRIPT("disk", "-drive", "file=FOLDER/disk.img,if=virtio,serial=ring-disk-1");
    expect(&guest, "do: size 131072, queue 510 segments");
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

START_TEST(a_raw_disk_is_read_and_written)
{
    struct program guest;
    const char *sum;

    make_random("disk.img");
    sum = sum_line("sum", "disk.img");
    guest = SCRIPT("copy", "-drive", "file=FOLDER/disk.img,if=virtio,format=raw");
    expect(&guest, "do: size 32768, read-only 0");
    expect(&guest, sum);
    expect(&guest, "do: copy: ok");
    ck_assert_int_eq(guest.status, STATUS_OFF);
    expect_copied("disk.img");
    program_free(&guest);
}
END_TEST

START_TEST(a_qcow2_disk_is_read_and_written)
{
    const char *img = harness_built("vmm-img"), *sum;
    struct program guest;

    make_random("disk.img");
    sum = sum_line("sum", "disk.img");
    TOOL(img, "convert", "-f", "raw", "-O", "qcow2", file("disk.img"), file("disk.qcow2"));
    guest = SCRIPT("copy", "-drive", "file=FOLDER/disk.qcow2,if=virtio,format=qcow2");
    expect(&guest, "do: size 32768, read-only 0");
    expect(&guest, sum);
    expect(&guest, "do: copy: ok");
    ck_assert_int_eq(guest.status, STATUS_OFF);
    TOOL(img, "check", file("disk.qcow2"));
    TOOL(img, "convert", "-f", "qcow2", "-O", "raw", file("disk.qcow2"), file("back.img"));
    expect_copied("back.img");
    program_free(&guest);
}
END_TEST

START_TEST(a_read_only_disk_stays_as_it_is)
{
    struct program guest;
    const char *before;

    make_random("disk.img");
    before = sum_line("sum", "disk.img");
    guest = SCRIPT("protected", "-drive", "file=FOLDER/disk.img,if=virtio,readonly=on");
    expect(&guest, "do: read-only 1");
    expect(&guest, before);
    expect(&guest, "do: write: refused");
    expect(&guest, "do: protected done");
    ck_assert_str_eq(sum_line("sum", "disk.img"), before);
    program_free(&guest);
}
END_TEST

/* A thousand requests are a thousand doorbells; before KVM watches them, a few exit. */
START_TEST(doorbells_do_not_stop_the_guest)
{
    struct program guest;
    const char *row, *line;
    unsigned long exits;

    make_sparse("disk.img", IMAGE_SIZE);
    guest = SCRIPT("requests", "-stats", "-drive", "file=FOLDER/disk.img,if=virtio");
    expect(&guest, "do: requests: ok");
    ck_assert_ptr_nonnull(strstr(guest.err, "device \"serial port\""));
    row = strstr(guest.err, "device \"virtio doorbell\"");
    for (line = row; row && line > guest.err && line[-1] != '\n';)
        line--;
    exits = row ? strtoul(line, NULL, 10) : 0;
    ck_assert_msg(exits < 100, "%lu exits in:\n%s", exits, guest.err);
    program_free(&guest);
}
END_TEST

/* The machine is built anew; the image must have been let go. */
START_TEST(a_reset_machine_finds_its_disk_again)
{
    struct program guest;

    make_sparse("disk.img", IMAGE_SIZE);
    guest = AGAIN("again", "-drive", "file=FOLDER/disk.img,if=virtio");
    expect(&guest, "do: first start");
    expect(&guest, "do: second start");
    ck_assert_int_eq(guest.status, 0);
    program_free(&guest);
}
END_TEST

START_TEST(linux_draws_from_the_entropy_device)
{
    struct program guest = SCRIPT("entropy", "-device", "virtio-rng-pci");

    expect(&guest, "do: source virtio_rng.0");
    expect(&guest, "do: bytes: some");
    program_free(&guest);
}
END_TEST

/* ---- a network of one host, 10.0.2.2, which answers ARP and echo requests ---- */

static const uint8_t host_mac[ETH_ALEN] = {0x52, 0x55, 10, 0, 2, 2};
static const uint8_t host_ip[4] = {10, 0, 2, 2};

/* Turns the frame into its answer. False: it needs none. */
static bool answer(uint8_t *frame, size_t size)
{
    struct ether_header *ethernet = (void *)frame;
    struct ether_arp *arp = (void *)(frame + sizeof *ethernet);
    struct iphdr *ip = (void *)(frame + sizeof *ethernet);
    struct icmphdr *icmp = (void *)(frame + sizeof *ethernet + sizeof *ip);
    uint32_t from, sum;

    memcpy(ethernet->ether_dhost, ethernet->ether_shost, ETH_ALEN);
    memcpy(ethernet->ether_shost, host_mac, ETH_ALEN);
    if (ntohs(ethernet->ether_type) == ETHERTYPE_ARP && size >= sizeof *ethernet + sizeof *arp) {
        if (ntohs(arp->ea_hdr.ar_op) != ARPOP_REQUEST || memcmp(arp->arp_tpa, host_ip, 4) != 0)
            return false;
        arp->ea_hdr.ar_op = htons(ARPOP_REPLY);
        memcpy(arp->arp_tha, arp->arp_sha, ETH_ALEN + 4);
        memcpy(arp->arp_sha, host_mac, ETH_ALEN);
        memcpy(arp->arp_spa, host_ip, 4);
        return true;
    }
    if (ntohs(ethernet->ether_type) != ETHERTYPE_IP ||
        size < sizeof *ethernet + sizeof *ip + sizeof *icmp || ip->protocol != IPPROTO_ICMP ||
        icmp->type != ICMP_ECHO)
        return false;
    from = ip->saddr;
    ip->saddr = ip->daddr;
    ip->daddr = from;
    icmp->type = ICMP_ECHOREPLY;
    /* One's complement: what the type has lost, the sum gains. */
    sum = ntohs(icmp->checksum) + (ICMP_ECHO << 8);
    icmp->checksum = htons((uint16_t)(sum + (sum >> 16)));
    return true;
}

static void *play_host(void *self)
{
    enum { FRAME_MAX = 65536, PAD = 2 }; /* 2 + 14: what follows Ethernet's header is aligned */
    static _Alignas(4) uint8_t buffer[PAD + FRAME_MAX];
    uint8_t *frame = buffer + PAD;
    int fd = *(int *)self;
    ssize_t size;

    while ((size = recv(fd, frame, FRAME_MAX, 0)) > 0)
        if ((size_t)size >= sizeof(struct ether_header) && answer(frame, (size_t)size))
            send(fd, frame, (size_t)size, MSG_NOSIGNAL);
    return NULL;
}

START_TEST(frames_go_both_ways)
{
    struct program guest;
    pthread_t host;
    char text[100];
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    ck_assert_int_eq(pthread_create(&host, NULL, play_host, &fds[0]), 0);
    snprintf(text, sizeof text, "dgram,local.type=fd,local.str=%d", fds[1]);
    guest = SCRIPT("wire", "-nic", text);
    close(fds[1]); /* now the host reads the end */
    pthread_join(host, NULL);
    close(fds[0]);
    expect(&guest, "do: address 52:54:00:12:34:56");
    expect(&guest, "do: 3 packets transmitted, 3 packets received");
    expect(&guest, "do: many: 300 packets transmitted, 300 packets received");
    ck_assert_int_eq(guest.status, 0);
    program_free(&guest);
}
END_TEST

/* ---- a tap, behind which the host's own kernel is 10.0.2.2 ---- */

#define TAP "ring0"

static int configure_tap(int fd, short more)
{
    struct ifreq interface = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | more};
    struct sockaddr_in address = {.sin_family = AF_INET};
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

    memcpy(&address.sin_addr, host_ip, sizeof host_ip);
    strcpy(interface.ifr_name, TAP);
    error |= ioctl(fd, TUNSETIFF, &interface) | ioctl(fd, TUNSETPERSIST, 1);
    memcpy(&interface.ifr_addr, &address, sizeof address);
    error |= ioctl(control, SIOCSIFADDR, &interface);
    inet_pton(AF_INET, "255.255.255.0", &address.sin_addr);
    memcpy(&interface.ifr_netmask, &address, sizeof address);
    error |= ioctl(control, SIOCSIFNETMASK, &interface);
    interface.ifr_flags = IFF_UP | IFF_RUNNING;
    error |= ioctl(control, SIOCSIFFLAGS, &interface);
    close(control);
    return error;
}

/* The interface stays without us. NULL, or why there can be none. */
static const char *make_tap(short more)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), error;

    if (fd < 0)
        return "/dev/net/tun cannot be opened";
    error = configure_tap(fd, more);
    close(fd);
    return error ? "an interface cannot be made: it takes root" : NULL;
}

static void remove_tap(short more)
{
    struct ifreq interface = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | more};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    strcpy(interface.ifr_name, TAP);
    ioctl(fd, TUNSETIFF, &interface);
    ioctl(fd, TUNSETPERSIST, 0);
    close(fd);
}

static const char *no_tap(void)
{
    const char *why;

    if (!getenv("LAB"))
        return "it makes an interface of the host's: in the lab only";
    why = make_tap(0);
    if (!why)
        remove_tap(0);
    return why;
}

static const char *no_vhost(void)
{
    const char *why = no_tap();
    int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return why ? why : "/dev/vhost-net cannot be opened";
    close(fd);
    return why;
}

/* A device that is reset takes its rings back from the host's kernel, and lends them again. */
START_TEST(the_hosts_kernel_serves_the_rings)
{
    struct program guest;

    ck_assert_ptr_null(make_tap(0));
    guest = SCRIPT("wire_again", "-nic", "tap,ifname=" TAP ",vhost=on");
    remove_tap(0);
    expect(&guest, "do: control queue 0");
    expect(&guest, "do: many: 300 packets transmitted, 300 packets received");
    expect(&guest, "do: again: many: 300 packets transmitted, 300 packets received");
    ck_assert_int_eq(guest.status, 0);
    program_free(&guest);
}
END_TEST

START_TEST(a_card_has_several_pairs_of_queues)
{
    struct program guest;

    ck_assert_ptr_null(make_tap(IFF_MULTI_QUEUE));
    guest = SCRIPT("pairs", "-smp", "2", "-netdev", "tap,id=n,ifname=" TAP ",queues=2", "-device",
                   "virtio-net-pci,netdev=n,mq=on");
    remove_tap(IFF_MULTI_QUEUE);
    expect(&guest, "do: queues 2");
    expect(&guest, "do: many: 300 packets transmitted, 300 packets received");
    expect(&guest, "do: second: 100 packets transmitted, 100 packets received");
    expect(&guest, "do: second pair: used");
    ck_assert_int_eq(guest.status, 0);
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
    guest = SCRIPT(what, "-nic", "user");
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
    TCase *tests = tcase_create("drivers"), *taps = tcase_create("tap");
    const char *why = no_linux(SCRIPT_INITRD);

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 5 * BOOT);
    harness_add(tests, a_file_system_lives_on_a_virtio_disk, why);
    harness_add(tests, a_raw_disk_is_read_and_written, why);
    harness_add(tests, a_qcow2_disk_is_read_and_written, why);
    harness_add(tests, a_read_only_disk_stays_as_it_is, why);
    harness_add(tests, doorbells_do_not_stop_the_guest, why);
    harness_add(tests, a_reset_machine_finds_its_disk_again, why);
    harness_add(tests, linux_draws_from_the_entropy_device, why);
    harness_add(tests, frames_go_both_ways, why);
    harness_add(tests, the_guest_reaches_the_host_without_root, why);
    tcase_set_timeout(taps, 5 * BOOT);
    harness_add(taps, a_card_has_several_pairs_of_queues, why ? why : no_tap());
    harness_add(taps, the_hosts_kernel_serves_the_rings, why ? why : no_vhost());
    suite_add_tcase(suite, taps);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(virtio_suite());
}
