/* vnc.c: see vnc.h. */
#include "07-linux-boot/vnc/vnc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "07-linux-boot/vnc/keysyms.h"
#include "07-linux-boot/vnc/picture.h"
#include "common/die.h"

#define FRAME        INT64_C(40000000) /* nanoseconds: 25 pictures a second */
#define FIRST_PORT   5900u
#define DISPLAYS_MAX 1000u
#define EVENTS_MAX   16u /* taken in one turn of the event loop */

/* ---- the command line ---- */

int vnc_read(struct vnc_place *place, const char *text, struct refusal *why)
{
    const char *colon = strrchr(text, ':');
    unsigned long display;
    char *end;

    if (strncmp(text, "unix:", 5) == 0) {
        *place = (struct vnc_place){.port = ""};
        if (!text[5] || strlen(text + 5) >= sizeof place->host)
            return refuse(why, -EINVAL, "-vnc %.80s: no path that a socket could have", text);
        strcpy(place->host, text + 5);
        return 0;
    }
    display = colon && colon[1] >= '0' && colon[1] <= '9' ? strtoul(colon + 1, &end, 10) : 0;
    if (!colon || colon[1] < '0' || colon[1] > '9' || *end || display >= DISPLAYS_MAX ||
        (size_t)(colon - text) >= sizeof place->host)
        return refuse(why, -EINVAL, "-vnc %.80s: not of the form HOST:DISPLAY or unix:PATH", text);
    snprintf(place->host, sizeof place->host, "%.*s", (int)(colon - text), text);
    if (!place->host[0])
        strcpy(place->host, "127.0.0.1"); /* there is no password */
    snprintf(place->port, sizeof place->port, "%lu", FIRST_PORT + display);
    return 0;
}

/* ---- the other process ---- */

/* Beside this program, whichever of the two it is. */
static void path_of(char path[4096 + 8])
{
    ssize_t length = readlink("/proc/self/exe", path, 4096);
    char *slash;

    path[length > 0 ? length : 0] = '\0';
    slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, "vmm-vnc");
}

static _Noreturn void become_server(int socket, int screen, const struct vnc_place *place,
                                    const char *name)
{
    char path[4096 + 8], text[256];

    path_of(path);
    setsid(); /* the terminal's keys are not for it */
    screen = fcntl(screen, F_DUPFD, 10);
    socket = fcntl(socket, F_DUPFD, 10);
    dup2(socket, VNC_SOCKET_FD);
    dup2(screen, VNC_SCREEN_FD);
    close_range(VNC_SCREEN_FD + 1, ~0u, 0);
    execl(path, "vmm-vnc", place->host, place->port, name, (char *)NULL);
    snprintf(text, sizeof text, "cannot start %.160s: %s", path, strerror(errno));
    if (write(VNC_SOCKET_FD, text, strlen(text)) < 0)
        _exit(1);
    _exit(1);
}

/* It says whether it can listen. */
static int wait_for_server(struct vnc *v, struct refusal *why)
{
    char text[256];
    ssize_t got = read(v->fd, text, sizeof text - 1);

    if (got == 1 && text[0] == VNC_READY)
        return 0;
    text[got > 0 ? got : 0] = '\0';
    return refuse(why, -EIO, "-vnc: %s", got > 0 ? text : "vmm-vnc has ended at once");
}

int vnc_start(struct vnc *v, const struct vnc_place *place, const char *name, struct refusal *why)
{
    int memory = memfd_create("screen", MFD_CLOEXEC), ends[2];
    pid_t child;

    *v = (struct vnc){.fd = -1};
    if (memory < 0 || ftruncate(memory, sizeof *v->shared) < 0)
        die("-vnc: memfd: %s", strerror(errno));
    v->shared = mmap(NULL, sizeof *v->shared, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (v->shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        die("-vnc: mmap, socketpair: %s", strerror(errno));
    child = fork();
    if (child < 0)
        die("-vnc: fork: %s", strerror(errno));
    if (child == 0)
        become_server(ends[1], memory, place, name);
    close(ends[1]);
    close(memory);
    v->fd = ends[0];
    if (wait_for_server(v, why) < 0) {
        vnc_end(v);
        return -EIO;
    }
    if (!place->port[0])
        strcpy(v->path, place->host);
    return fcntl(v->fd, F_SETFL, O_NONBLOCK);
}

void vnc_end(struct vnc *v)
{
    if (v->fd < 0)
        return;
    close(v->fd); /* by which it knows */
    if (v->path[0])
        unlink(v->path); /* in a sandbox the clerk does it */
    munmap(v->shared, sizeof *v->shared);
    v->fd = -1;
}

/* ---- the picture ---- */

/* [publish] */
static void publish(struct vnc *v)
{
    struct vnc_screen *shared = v->shared;
    uint32_t turn = atomic_load_explicit(&shared->turn, memory_order_relaxed) & ~1u;
    struct text_frame frame;

    memset(&frame, 0, sizeof frame);
    text_screen_frame(v->screen, &frame);
    if (turn > 0 && memcmp(&frame, &shared->frame, sizeof frame) == 0)
        return;
    atomic_store(&shared->turn, turn + 1);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(&shared->frame, &frame, sizeof frame);
    atomic_store(&shared->turn, turn + 2);
}
/* [/publish] */

static void set_alarm(const struct vnc *v)
{
    struct clock clock = machine_clock(v->machine);

    alarm_set(&v->alarm, clock_now(&clock) + FRAME);
}

static void frame_due(void *self)
{
    struct vnc *v = self;

    if (!v->watched || !v->machine)
        return;
    publish(v);
    set_alarm(v);
}

/* ---- keys and pointer ---- */

static void watch_screen(struct vnc *v, bool watched)
{
    if (watched && !v->watched) {
        publish(v);
        set_alarm(v);
    }
    v->watched = watched;
}

/* The client says where its pointer is, a mouse how far it has moved. */
static void point(struct vnc *v, unsigned buttons, unsigned x, unsigned y)
{
    struct pointer_motion motion = {.buttons = (buttons & 1 ? POINTER_LEFT : 0) |
                                               (buttons & 2 ? POINTER_MIDDLE : 0) |
                                               (buttons & 4 ? POINTER_RIGHT : 0),
                                    .wheel = (buttons & 16 ? 1 : 0) - (buttons & 8 ? 1 : 0)};

    if (x >= PICTURE_WIDTH || y >= PICTURE_HEIGHT)
        return;
    if (v->placed) {
        motion.right = (int)x - (int)v->x;
        motion.down = (int)y - (int)v->y;
    }
    v->x = x;
    v->y = y;
    v->placed = true;
    v->pointer.move(v->pointer.self, motion);
}

void vnc_event(struct vnc *v, const struct vnc_event *event)
{
    unsigned key;

    switch (event->kind) {
    case VNC_WATCHED: watch_screen(v, event->a != 0); break;
    case VNC_KEY:
        key = keysym_key(event->a);
        if (key != 0)
            v->keys.key(v->keys.self, key, event->b != 0);
        break;
    case VNC_POINTER: point(v, event->a, event->b, event->c); break;
    default: break;
    }
}

/* On the event loop. */
static void ready(void *self)
{
    struct vnc *v = self;

    for (unsigned i = 0; i < EVENTS_MAX; i++) {
        struct vnc_event event;
        ssize_t got = read(v->fd, &event, sizeof event);

        if (got == 0) {
            warn("-vnc: vmm-vnc has ended; the guest runs on without");
            v->watch->fd = -1;
        }
        if (got <= 0)
            return;
        if (got != sizeof event)
            continue;
        pthread_mutex_lock(&v->machine->devices.lock);
        vnc_event(v, &event);
        pthread_mutex_unlock(&v->machine->devices.lock);
    }
}

void vnc_attach(struct vnc *v, struct machine *machine, const struct text_screen *screen,
                struct key_sink keys, struct pointer_sink pointer)
{
    if (v->fd < 0)
        return;
    v->machine = machine;
    v->screen = screen;
    v->keys = keys;
    v->pointer = pointer;
    v->alarm = machine_alarm(machine, frame_due, v);
    v->watch = watches_add(&machine->watches, v->fd, ready, v);
    if (v->watched)
        set_alarm(v);
}

void vnc_detach(struct vnc *v)
{
    v->machine = NULL;
}
