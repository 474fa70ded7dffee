/*
 * server.c: vmm-vnc: shows the VMM's screen to VNC clients, and tells it what they type. VMM
 * and vmm-vnc meet in wire.h; the protocol of the clients is libvncserver's.
 *
 *     vmm-vnc HOST PORT NAME         (the VMM starts it; PORT empty: HOST is a path)
 *
 * This process reads what strangers send. It has nothing that would be worth taking: a copy of
 * the screen, the clients' sockets, and a filter that lets it neither open files nor start
 * programs. It ends when the VMM does.
 *
 * Left out on purpose: passwords and encryption (a tunnel of ssh's has both), clipboards, file
 * transfer, sound.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <rfb/rfb.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "07-linux-boot/privileges.h"
#include "07-linux-boot/vnc/picture.h"
#include "07-linux-boot/vnc/wire.h"
#include "common/bits.h"

#define FRAME_US    40000
#define CLIENTS_MAX 8u
#define CLIENT_WAIT 2000 /* milliseconds without progress, before a client is let go */

/* Where Debian and others put the ROM of SeaBIOS for the simplest of adapters. */
static const char *const roms[] = {
    "/usr/share/seabios/vgabios-stdvga.bin",
    "/usr/share/qemu/vgabios-stdvga.bin",
    "/usr/share/seavgabios/vgabios-stdvga.bin",
};

static struct picture picture;
static unsigned clients;

/* ---- to the VMM ---- */

/* Its first word: why nothing can be shown. */
static __attribute__((noreturn, format(printf, 1, 2))) void give_up(const char *format, ...)
{
    char text[200];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (write(VNC_SOCKET_FD, text, strlen(text)) < 0)
        exit(1);
    exit(1);
}

/* The socket is full if the VMM is stopped; then the event is lost. */
static void tell(struct vnc_event event)
{
    if (send(VNC_SOCKET_FD, &event, sizeof event, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
        errno == EPIPE)
        exit(0);
}

/* ---- clients ---- */

static void client_gone(rfbClientPtr client)
{
    (void)client;
    clients--;
    if (clients == 0)
        tell((struct vnc_event){VNC_WATCHED, 0, 0, 0});
}

static enum rfbNewClientAction client_came(rfbClientPtr client)
{
    client->clientGoneHook = client_gone;
    clients++;
    tell((struct vnc_event){VNC_WATCHED, 1, 0, 0});
    return clients > CLIENTS_MAX ? RFB_CLIENT_REFUSE : RFB_CLIENT_ACCEPT;
}

static void key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
    (void)client;
    tell((struct vnc_event){VNC_KEY, keysym, down, 0});
}

static void pointer(int buttons, int x, int y, rfbClientPtr client)
{
    (void)client;
    tell((struct vnc_event){VNC_POINTER, (uint32_t)buttons, (uint32_t)x, (uint32_t)y});
}

/* ---- set-up ---- */

static const uint8_t *load_font(void)
{
    static uint8_t rom[256 * KIB];

    for (size_t i = 0; i < ARRAY_SIZE(roms); i++) {
        FILE *file = fopen(roms[i], "rb");
        size_t size = file ? fread(rom, 1, sizeof rom, file) : 0;
        const uint8_t *font = font_find(rom, size);

        if (file)
            fclose(file);
        if (font)
            return font;
    }
    give_up("no letters to draw: they are in the ROM of SeaBIOS (package seabios), %s", roms[0]);
}

static int listen_on_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof address.sun_path)
        give_up("%.80s...: longer than a socket's name can be", path);
    strcpy(address.sun_path, path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED)
        unlink(path); /* left over from one that was killed */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, 4) < 0)
        give_up("%.100s: cannot listen: %s", path, strerror(errno));
    return fd;
}

static int listen_on_port(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    int error = getaddrinfo(host, port, &hints, &list), one = 1, fd;

    if (error)
        give_up("%.80s: %s", host, gai_strerror(error));
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) < 0 || listen(fd, 4) < 0)
        give_up("%.80s:%s: cannot listen: %s", host, port, strerror(errno));
    freeaddrinfo(list);
    return fd;
}

static rfbScreenInfoPtr make_screen(const char *name)
{
    rfbScreenInfoPtr screen = rfbGetScreen(NULL, NULL, PICTURE_WIDTH, PICTURE_HEIGHT, 8, 3,
                                           sizeof picture.pixels[0][0]);

    if (!screen)
        give_up("libvncserver makes no screen");
    screen->desktopName = name;
    screen->frameBuffer = (char *)picture.pixels;
    screen->alwaysShared = TRUE;
    screen->port = screen->ipv6port = 0; /* we listen */
    screen->cursor = NULL;
    screen->newClientHook = client_came;
    screen->kbdAddEvent = key;
    screen->ptrAddEvent = pointer;
    rfbMaxClientWait = CLIENT_WAIT;
    rfbInitServer(screen);
    return screen;
}

/* All else fails, and harms nobody by it. */
static void enter_sandbox(void)
{
    static const int calls[] = {
        SCMP_SYS(read),          SCMP_SYS(write),          SCMP_SYS(recvfrom),
        SCMP_SYS(sendto),        SCMP_SYS(readv),          SCMP_SYS(writev),
        SCMP_SYS(select),        SCMP_SYS(pselect6),       SCMP_SYS(poll),
        SCMP_SYS(accept4),       SCMP_SYS(close),          SCMP_SYS(fcntl),
        SCMP_SYS(setsockopt),    SCMP_SYS(getsockopt),     SCMP_SYS(getpeername),
        SCMP_SYS(getsockname),   SCMP_SYS(shutdown),       SCMP_SYS(brk),
        SCMP_SYS(munmap),        SCMP_SYS(mremap),         SCMP_SYS(madvise),
        SCMP_SYS(futex),         SCMP_SYS(getrandom),      SCMP_SYS(getpid),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),   SCMP_SYS(time),
        SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask), SCMP_SYS(clock_nanosleep),
        SCMP_SYS(exit),          SCMP_SYS(exit_group),
    };
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int error = filter ? 0 : -ENOMEM;

    for (size_t i = 0; i < ARRAY_SIZE(calls) && error == 0; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (error == 0)
        error = seccomp_load(filter);
    if (error < 0)
        give_up("no filter of system calls: %s", strerror(-error));
    seccomp_release(filter);
}

/* ---- the loop ---- */

/* A whole frame of the VMM's, if there is a new one. */
static bool take_frame(const struct vnc_screen *shared, struct text_frame *frame)
{
    static uint32_t seen;
    uint32_t turn = atomic_load(&shared->turn);

    if (turn == seen || turn % 2 == 1)
        return false;
    *frame = shared->frame;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&shared->turn) != turn)
        return false;
    seen = turn;
    return true;
}

static void show(rfbScreenInfoPtr screen, const struct text_frame *frame)
{
    struct picture_change change = picture_draw(&picture, frame);

    if (change.first <= change.last)
        rfbMarkRectAsModified(screen, 0, (int)(change.first * CELL_HEIGHT), PICTURE_WIDTH,
                              (int)((change.last + 1) * CELL_HEIGHT));
}

/* Nobody watches: sleep until somebody comes, or the VMM has gone. */
static void wait_for_somebody(int listener)
{
    struct pollfd fds[] = {{.fd = listener, .events = POLLIN},
                           {.fd = VNC_SOCKET_FD, .events = POLLIN}};

    if (clients == 0)
        poll(fds, ARRAY_SIZE(fds), -1);
}

static void check_vmm(void)
{
    char byte;

    if (recv(VNC_SOCKET_FD, &byte, 1, MSG_DONTWAIT) == 0)
        exit(0);
}

int main(int argc, char **argv)
{
    const struct vnc_screen *shared;
    rfbScreenInfoPtr screen;
    struct refusal why;
    int listener;

    if (argc != 4 || fcntl(VNC_SOCKET_FD, F_GETFD) < 0) {
        fprintf(stderr, "vmm-vnc: vmm -vnc starts this program\n");
        return 1;
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, VNC_SCREEN_FD, 0);
    if (shared == MAP_FAILED)
        give_up("mmap: %s", strerror(errno));
    rfbLogEnable(0);
    picture_init(&picture, load_font());
    screen = make_screen(argv[3]);
    listener = argv[2][0] ? listen_on_port(argv[1], argv[2]) : listen_on_path(argv[1]);
    if (privileges_drop(&(struct privileges){.host_network = true}, &why) < 0)
        give_up("%s", why.text);
    enter_sandbox();
    if (write(VNC_SOCKET_FD, (const char[]){VNC_READY}, 1) != 1)
        return 1;

    for (;;) {
        struct text_frame frame;
        int fd;

        wait_for_somebody(listener);
        check_vmm();
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            rfbNewClient(screen, fd);
        if (take_frame(shared, &frame))
            show(screen, &frame);
        rfbProcessEvents(screen, FRAME_US);
    }
}
