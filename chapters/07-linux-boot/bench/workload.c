/*
 * workload.c: what the guest does while the host counts: reads and writes of a disk, echo
 * requests, a stream each way over TCP.
 *
 *     workload guest      in the guest: /dev/vda and 10.9.0.1, orders from the console
 *     workload host       at the other end of the wire: ports 9 (takes) and 19 (gives)
 *
 * Before each test the guest prints "@begin NAME" and waits for a line, so that the host can
 * look at its counters while nothing happens; after it "@end NAME UNITS". The test "nothing"
 * does nothing: it is what this talking itself costs.
 *
 * Statically linked, so that an initramfs needs no library. Everything is done the plainest
 * way: one request at a time, each waited for, unless the kernel itself reads ahead.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/ip_icmp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define DISK       "/dev/vda"
#define HOST       "10.9.0.1"
#define PORT_SINK  9  /* as the old "discard" service */
#define PORT_GIVE  19 /* "chargen" */

#define MIB        (1024u * 1024u)
#define DISK_SIZE  (64u * MIB)
#define LARGE      (1u * MIB)
#define SMALL      4096u
#define SMALL_MANY 2048u
#define PINGS      300u
#define STREAM     (48u * MIB)
#define PIECE      (128u * 1024u)

static void fail(const char *what)
{
    printf("@fail %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint8_t *buffer(void)
{
    static uint8_t *memory;

    if (!memory) {
        memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory == MAP_FAILED)
            fail("memory");
        memset(memory, 0x5a, LARGE);
    }
    return memory;
}

/* The same places in every run, and no two alike: a full period of a simple generator. */
static off_t scattered(unsigned i)
{
    return (off_t)((i * 2654435761u) % (DISK_SIZE / SMALL)) * SMALL;
}

static void disk_each(int flags, size_t size, unsigned count, int scatter)
{
    int fd = open(DISK, flags | O_DIRECT);
    uint8_t *memory = buffer();

    if (fd < 0)
        fail(DISK);
    for (unsigned i = 0; i < count; i++) {
        off_t at = scatter ? scattered(i) : (off_t)(i * size % DISK_SIZE);
        ssize_t done = flags & O_RDWR ? pwrite(fd, memory, size, at) : pread(fd, memory, size, at);

        if (done != (ssize_t)size)
            fail("a transfer");
    }
    close(fd);
}

static void nothing(void)
{
}

static void read_large(void)
{
    disk_each(O_RDONLY, LARGE, 2 * DISK_SIZE / LARGE, 0);
}

static void write_large(void)
{
    disk_each(O_RDWR, LARGE, DISK_SIZE / LARGE, 0);
}

static void read_small(void)
{
    disk_each(O_RDONLY, SMALL, SMALL_MANY, 1);
}

static void write_small(void)
{
    disk_each(O_RDWR, SMALL, SMALL_MANY, 1);
}

/* Through the guest's page cache, which is empty and reads ahead. */
static void read_buffered(void)
{
    int fd = open(DISK, O_RDONLY);

    if (fd < 0 || ioctl(fd, BLKFLSBUF, 0) < 0)
        fail(DISK);
    for (size_t done = 0; done < DISK_SIZE; done += PIECE)
        if (read(fd, buffer(), PIECE) != (ssize_t)PIECE)
            fail("a read");
    close(fd);
}

static struct sockaddr_in host(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, HOST, &address.sin_addr);
    return address;
}

/* Each as soon as the last was answered. The kernel fills in id and checksum. */
static void ping(void)
{
    struct sockaddr_in address = host(0);
    struct icmphdr request = {.type = ICMP_ECHO};
    uint8_t answer[256];
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("ping");
    for (unsigned i = 0; i < PINGS; i++) {
        request.un.echo.sequence = htons((uint16_t)i);
        if (send(fd, &request, sizeof request, 0) < 0 || recv(fd, answer, sizeof answer, 0) < 0)
            fail("ping");
    }
    close(fd);
}

static int connected(uint16_t port)
{
    struct sockaddr_in address = host(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    return fd;
}

/* All is there when the other side, having read it, closes. */
static void tcp_out(void)
{
    int fd = connected(PORT_SINK);

    for (size_t done = 0; done < STREAM;) {
        ssize_t sent = write(fd, buffer(), PIECE);

        if (sent <= 0)
            fail("send");
        done += (size_t)sent;
    }
    shutdown(fd, SHUT_WR);
    if (read(fd, buffer(), 1) != 0)
        fail("the other side");
    close(fd);
}

static void tcp_in(void)
{
    int fd = connected(PORT_GIVE);
    size_t done = 0;
    ssize_t got;

    while ((got = read(fd, buffer(), PIECE)) > 0)
        done += (size_t)got;
    if (done != STREAM)
        fail("receive");
    close(fd);
}

static const struct test {
    const char *name;
    unsigned units; /* what a result is for: MiB, or pings */
    void (*run)(void);
} tests[] = {
    {"nothing", 1, nothing},
    {"read-1m", 2 * DISK_SIZE / MIB, read_large},
    {"read-4k", SMALL_MANY *SMALL / MIB, read_small},
    {"read-buffered", DISK_SIZE / MIB, read_buffered},
    {"write-1m", DISK_SIZE / MIB, write_large},
    {"write-4k", SMALL_MANY *SMALL / MIB, write_small},
    {"ping", PINGS, ping},
    {"tcp-out", STREAM / MIB, tcp_out},
    {"tcp-in", STREAM / MIB, tcp_in},
};

static void run(const struct test *test)
{
    char line[20];

    printf("@begin %s\n", test->name);
    if (!fgets(line, sizeof line, stdin))
        fail("no orders");
    test->run();
    printf("@end %s %u\n", test->name, test->units);
}

static void *take(void *self)
{
    static uint8_t memory[PIECE];
    int fd = (int)(intptr_t)self;

    while (read(fd, memory, sizeof memory) > 0)
        ;
    close(fd);
    return NULL;
}

static void *give(void *self)
{
    static const uint8_t memory[PIECE] = {1};
    int fd = (int)(intptr_t)self;

    for (size_t done = 0; done < STREAM;) {
        ssize_t sent = write(fd, memory, sizeof memory);

        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    close(fd);
    return NULL;
}

static int listening(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4) < 0)
        fail("listen");
    return fd;
}

static void *serve(void *listener)
{
    for (;;) {
        int fd = accept((int)(intptr_t)listener, NULL, NULL);

        if (fd >= 0)
            give((void *)(intptr_t)fd);
    }
    return NULL;
}

static void play_host(void)
{
    int sink = listening(PORT_SINK), source = listening(PORT_GIVE);
    pthread_t thread;

    signal(SIGPIPE, SIG_IGN);
    pthread_create(&thread, NULL, serve, (void *)(intptr_t)source);
    for (;;) {
        int fd = accept(sink, NULL, NULL);

        if (fd >= 0)
            take((void *)(intptr_t)fd);
    }
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && strcmp(argv[1], "host") == 0)
        play_host();
    for (unsigned i = 0; i < sizeof tests / sizeof tests[0]; i++)
        run(&tests[i]);
    return 0;
}
