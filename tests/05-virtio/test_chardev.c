/*
 * test_chardev.c: what is behind a port: files, FIFOs, pseudo terminals, sockets; slow
 * readers, none at all, and those that leave. The front end is a few lines here.
 *
 * Long, because each kind of far end needs a setting of its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "05-virtio/chardev.h"
#include "harness/harness.h"

static struct chardev back;
static struct watches watches;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct refusal why;
static char folder[] = "/tmp/test_chardev.XXXXXX", path[100];

/* The front end: takes room bytes, and hears of who is there. */
static struct {
    char got[1 << 20];
    size_t size, room;
    bool listens, open;
    unsigned drains;
} front;

static size_t receive(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    count = count < front.room ? count : front.room;
    memcpy(front.got + front.size, bytes, count);
    front.size += count;
    front.room -= count;
    return count;
}

static bool listening(void *self)
{
    (void)self;
    return front.listens;
}

static void drain(void *self)
{
    (void)self;
    front.drains++;
}

static void opened(void *self, bool open)
{
    (void)self;
    front.open = open;
}

static size_t printed; /* by fill(), since attach() */

static void attach(void)
{
    struct console_end end = {
        .receive = receive, .listening = listening, .drain = drain, .opened = opened};

    memset(&front, 0, sizeof front);
    printed = 0;
    front.listens = true;
    front.room = sizeof front.got;
    watches.count = 0;
    chardev_attach(&back, end, &lock, &watches);
}

/* The event loop, until nothing has happened for quiet milliseconds; how often it turned. */
static unsigned turn(int quiet)
{
    unsigned turns = 0;

    for (;; turns++) {
        struct pollfd fd = {.fd = watches.list[0].fd, .events = POLLIN};

        if (poll(&fd, 1, quiet) == 0)
            return turns;
        ck_assert_uint_lt(turns, 100000);
        watches.list[0].ready(watches.list[0].self);
    }
}

static size_t print(const char *text)
{
    struct byte_sink sink = chardev_sink(&back);

    return sink.put(sink.self, (const uint8_t *)text, strlen(text));
}

static uint8_t nth(size_t n)
{
    return (uint8_t)(n % 251);
}

/* Prints until the sink is full, 5 MB at most; how much it took. */
static size_t fill(void)
{
    static uint8_t block[5000];
    struct byte_sink sink = chardev_sink(&back);
    size_t total = 0, taken;

    do {
        for (unsigned b = 0; b < sizeof block; b++)
            block[b] = nth(printed + b);
        taken = sink.put(sink.self, block, sizeof block);
        printed += taken;
        total += taken;
    } while (taken == sizeof block && total < 5000000);
    return total;
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_chardev.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/end", folder);
}

static void remove_folder(void)
{
    char command[60];

    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void end(void)
{
    chardev_detach(&back);
    chardev_close(&back);
}

static void expect_read(int fd, const char *text)
{
    char got[100] = "";

    ck_assert_int_eq(read(fd, got, sizeof got - 1), (ssize_t)strlen(text));
    ck_assert_str_eq(got, text);
}

static void expect_typed(const char *text)
{
    turn(20);
    ck_assert_uint_eq(front.size, strlen(text));
    ck_assert_mem_eq(front.got, text, strlen(text));
    front.size = 0;
}

/* ---- nobody, files, FIFOs ---- */

START_TEST(null_takes_everything)
{
    chardev_open_null(&back);
    attach();
    ck_assert_uint_eq(fill(), 5000000);
    ck_assert_uint_eq(turn(20), 1); /* the one that attach() asks for */
    ck_assert(!front.open);
    end();
}
END_TEST

static void expect_file(const char *text)
{
    int fd = open(path, O_RDONLY);

    expect_read(fd, text);
    close(fd);
}

START_TEST(a_file_is_emptied_or_continued)
{
    make_folder();
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(chardev_open_file(&back, path, i == 2, &why), 0);
        attach();
        ck_assert(front.open);
        ck_assert_uint_eq(print("one"), 3);
        turn(20);
        print("two"); /* and what was not written yet is, at the end */
        end();
        expect_file(i < 2 ? "onetwo" : "onetwoonetwo");
    }
    remove_folder();
}
END_TEST

START_TEST(a_full_disk_loses_output_and_nothing_else)
{
    ck_assert_int_eq(chardev_open_file(&back, "/dev/full", false, &why), 0);
    attach();
    ck_assert_uint_eq(fill(), CHARDEV_RING);
    turn(20);
    ck_assert_uint_gt(front.drains, 0);
    ck_assert_uint_eq(fill(), CHARDEV_RING);
    end();
}
END_TEST

START_TEST(fifos_go_both_ways)
{
    char in[120], out[120];
    int to, from;

    make_folder();
    snprintf(in, sizeof in, "%s.in", path);
    snprintf(out, sizeof out, "%s.out", path);
    ck_assert_int_lt(chardev_open_pipe(&back, path, &why), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "cannot open: No such file"));
    ck_assert_int_eq(mkfifo(in, 0600), 0);
    ck_assert_int_lt(chardev_open_pipe(&back, path, &why), 0); /* half of them */
    ck_assert_int_eq(mkfifo(out, 0600), 0);
    ck_assert_int_eq(chardev_open_pipe(&back, path, &why), 0);
    attach();
    to = open(in, O_WRONLY | O_NONBLOCK);
    from = open(out, O_RDONLY | O_NONBLOCK);
    ck_assert_int_eq(write(to, "typed", 5), 5);
    expect_typed("typed");
    print("printed");
    turn(20);
    expect_read(from, "printed");
    close(to); /* no end of file for us: another may come */
    ck_assert_uint_lt(turn(20), 3);
    to = open(in, O_WRONLY | O_NONBLOCK);
    ck_assert_int_eq(write(to, "again", 5), 5);
    expect_typed("again");
    close(to);
    close(from);
    end();
    remove_folder();
}
END_TEST

/* ---- sockets ---- */

static int call(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void serve(void)
{
    struct chardev_socket address = {.path = path, .server = true};

    make_folder();
    ck_assert_msg(chardev_open_socket(&back, &address, &why) == 0, "%s", why.text);
    attach();
    turn(20);
}

static void stop_serving(void)
{
    end();
    ck_assert_int_lt(access(path, F_OK), 0); /* its socket is gone */
    remove_folder();
}

START_TEST(callers_come_one_after_the_other)
{
    serve();
    ck_assert(!front.open);
    ck_assert_uint_eq(fill(), 5000000); /* nobody is there: into the air */
    for (unsigned i = 0; i < 3; i++) {
        int caller = call();

        turn(20);
        ck_assert(front.open);
        print("hello");
        turn(20);
        expect_read(caller, "hello");
        ck_assert_int_eq(write(caller, "typed", 5), 5);
        expect_typed("typed");
        close(caller);
        ck_assert_uint_lt(turn(20), 4); /* and no busy loop afterwards */
        ck_assert(!front.open);
    }
    stop_serving();
}
END_TEST

START_TEST(a_second_caller_waits_for_the_first_to_leave)
{
    int first, second;

    serve();
    first = call();
    turn(20);
    second = call();
    ck_assert_int_eq(write(second, "two", 3), 3);
    ck_assert_uint_lt(turn(20), 3);
    ck_assert_uint_eq(front.size, 0);
    close(first);
    expect_typed("two");
    close(second);
    stop_serving();
}
END_TEST

/* CON18: whoever does not read slows the guest's port down, and costs a fixed amount. */
START_TEST(a_slow_reader_gets_all_in_order_and_the_sink_is_full_meanwhile)
{
    static uint8_t got[10000];
    int caller;

    serve();
    caller = call();
    turn(20);
    ck_assert_uint_eq(fill(), CHARDEV_RING);
    while (turn(20) > 0 && fill() > 0)
        ck_assert_uint_lt(printed, 4 << 20); /* the kernel's buffers are finite as well */
    ck_assert_uint_eq(turn(20), 0);          /* full: nothing to be done, and no busy loop */
    ck_assert_uint_eq(print("x"), 0);
    for (size_t size = 0; size < printed;) {
        ssize_t count = read(caller, got, sizeof got);

        ck_assert_int_gt(count, 0);
        for (ssize_t i = 0; i < count; i++)
            ck_assert_msg(got[i] == nth(size + (size_t)i), "byte %zu", size + (size_t)i);
        size += (size_t)count;
        turn(0);
    }
    ck_assert_uint_gt(front.drains, 0);
    close(caller);
    stop_serving();
}
END_TEST

START_TEST(a_guest_that_does_not_read_is_not_read_for)
{
    static char typed[100000];
    ssize_t sent = 0, part;
    int caller;

    serve();
    caller = call();
    fcntl(caller, F_SETFL, O_NONBLOCK);
    front.room = 0;
    for (unsigned i = 0; i < sizeof typed; i++)
        typed[i] = (char)('a' + i % 23);
    while (sent < (ssize_t)sizeof typed && (part = write(caller, typed + sent, 5000)) > 0)
        sent += part;
    ck_assert_uint_lt(turn(20), 100); /* back-pressure: bytes wait in the kernel */
    ck_assert_uint_le(back.key_count, CHARDEV_KEYS);
    front.room = sizeof front.got;
    chardev_wake(&back);
    turn(20);
    while (sent < (ssize_t)sizeof typed) {
        part = write(caller, typed + sent, sizeof typed - (size_t)sent);
        sent += part > 0 ? part : 0;
        turn(5);
    }
    ck_assert_uint_eq(front.size, sizeof typed);
    ck_assert_mem_eq(front.got, typed, sizeof typed);
    close(caller);
    stop_serving();
}
END_TEST

START_TEST(a_front_end_that_does_not_listen_is_asked_again)
{
    int caller;

    serve();
    front.listens = false;
    caller = call();
    ck_assert_int_eq(write(caller, "early", 5), 5);
    turn(20);
    ck_assert_uint_eq(front.size, 0);
    front.listens = true;
    turn(100);
    ck_assert_uint_eq(front.size, 5);
    close(caller);
    stop_serving();
}
END_TEST

START_TEST(what_was_typed_before_leaving_arrives)
{
    int caller;

    serve();
    front.room = 0;
    caller = call();
    ck_assert_int_eq(write(caller, "last words", 10), 10);
    close(caller);
    ck_assert_uint_lt(turn(20), 10);
    front.room = 100;
    chardev_wake(&back);
    expect_typed("last words");
    stop_serving();
}
END_TEST

START_TEST(a_caller_that_has_left_with_much_unread_is_no_busy_loop)
{
    static char typed[2 * CHARDEV_KEYS];
    int caller;

    serve();
    front.room = 0;
    memset(typed, 'x', sizeof typed);
    caller = call();
    ck_assert_int_eq(write(caller, typed, sizeof typed), sizeof typed);
    turn(20);
    ck_assert_uint_eq(back.key_count, CHARDEV_KEYS);
    close(caller);
    ck_assert_uint_lt(turn(20), 3); /* it is known when there is room to read on */
    front.room = sizeof front.got;
    chardev_wake(&back);
    turn(20);
    ck_assert_uint_eq(front.size, sizeof typed);
    ck_assert(!front.open);
    stop_serving();
}
END_TEST

START_TEST(the_next_caller_gets_nothing_that_was_for_the_last)
{
    int first, second;

    serve();
    first = call();
    turn(20);
    while (fill() > 0) /* more than the kernel takes: some waits in the ring */
        turn(20);
    close(first);
    turn(20);
    second = call();
    turn(20);
    print("hello");
    turn(20);
    expect_read(second, "hello");
    close(second);
    stop_serving();
}
END_TEST

START_TEST(a_caller_survives_a_new_machine)
{
    int caller;

    serve();
    caller = call();
    turn(20);
    chardev_detach(&back);
    ck_assert_int_eq(write(caller, "between", 7), 7);
    attach();
    ck_assert(front.open);
    expect_typed("between");
    print("second");
    turn(20);
    expect_read(caller, "second");
    close(caller);
    stop_serving();
}
END_TEST

START_TEST(a_leftover_socket_is_replaced_and_one_in_use_is_not)
{
    struct chardev_socket address = {.path = path, .server = true};
    static struct chardev other;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int left;

    make_folder();
    strcpy(name.sun_path, path);
    left = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(left, (struct sockaddr *)&name, sizeof name), 0);
    close(left);
    ck_assert_msg(chardev_open_socket(&back, &address, &why) == 0, "%s", why.text);
    ck_assert_int_lt(chardev_open_socket(&other, &address, &why), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "cannot listen: Address already in use"));
    chardev_close(&back);
    address.server = false;
    ck_assert_int_lt(chardev_open_socket(&back, &address, &why), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "cannot connect"));
    remove_folder();
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
    struct chardev_socket address = {.path = path, .server = true};
    int fd;

    make_folder();
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_lt(chardev_open_socket(&back, &address, &why), 0);
    ck_assert_int_eq(access(path, F_OK), 0);
    remove_folder();
}
END_TEST

START_TEST(a_name_that_is_too_long_is_refused)
{
    char name[200];
    struct chardev_socket address = {.path = name, .server = true};

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_lt(chardev_open_socket(&back, &address, &why), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "longer than a socket's name can be"));
}
END_TEST

START_TEST(tcp_calls_and_is_called)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, fd;
    socklen_t size = sizeof name;
    char port[10];
    struct chardev_socket address = {.host = "127.0.0.1", .port = port};

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&name, &size);
    snprintf(port, sizeof port, "%u", ntohs(name.sin_port));

    ck_assert_msg(chardev_open_socket(&back, &address, &why) == 0, "%s", why.text);
    attach();
    fd = accept(listener, NULL, NULL);
    print("out");
    turn(20);
    expect_read(fd, "out");
    close(fd);
    turn(20);
    ck_assert(!front.open);
    end();

    close(listener);
    address.server = true;
    ck_assert_msg(chardev_open_socket(&back, &address, &why) == 0, "%s", why.text);
    attach();
    fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(write(fd, "in", 2), 2);
    expect_typed("in");
    close(fd);
    end();

    address.port = "no such port";
    ck_assert_int_lt(chardev_open_socket(&back, &address, &why), 0);
}
END_TEST

/* ---- a pseudo terminal ---- */

static unsigned calls;
static int call_result;

static int count_call(void *address)
{
    calls++;
    return call_result ? call_result : chardev_call(address);
}

/* Listens at path, for one caller; the port of TCP, if tcp. */
static int be_server(bool tcp, struct socket_address *place)
{
    struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct chardev_socket name = {.path = path};
    int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

    if (tcp) {
        place->size = sizeof port;
        memcpy(&place->address, &port, sizeof port);
    } else {
        ck_assert_int_eq(chardev_find(&name, place, &why), 0);
    }
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&place->address, place->size), 0);
    getsockname(fd, (struct sockaddr *)&place->address, &place->size);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

START_TEST(a_client_calls_again)
{
    struct socket_address place;
    struct chardev_caller caller = {count_call, &place};
    struct chardev_socket s = {.path = path, .reconnect = 1, .caller = &caller};
    int listener, server;

    make_folder();
    calls = 0;
    call_result = _i ? 0 : -ECONNREFUSED;
    listener = be_server(_i, &place);
    ck_assert_int_eq(chardev_open_socket(&back, &s, &why), 0);
    ck_assert_uint_eq(calls, 0);
    attach();
    for (unsigned i = 0; i < 5; i++) {
        chardev_wake(&back); /* whoever asks for attention makes it call no sooner */
        turn(20);
    }
    ck_assert_uint_eq(calls, 1);
    ck_assert_int_eq(front.open, _i);
    call_result = 0;
    turn(1050); /* the time that it waits, and no more */
    ck_assert_uint_eq(calls, _i ? 1 : 2);
    server = accept(listener, NULL, NULL);
    ck_assert_int_eq(write(server, "typed", 5), 5);
    expect_typed("typed");
    close(server);
    calls = 0;
    turn(20);
    ck_assert(!front.open);
    ck_assert_uint_eq(calls, 0); /* also after the end it waits */
    turn(1050);
    ck_assert_uint_eq(calls, 1);
    ck_assert(front.open);
    server = accept(listener, NULL, NULL);
    print("printed");
    turn(20);
    expect_read(server, "printed");
    close(server);
    close(listener);
    end();
    remove_folder();
}
END_TEST

START_TEST(a_pseudo_terminal_is_opened_and_closed_as_one_likes)
{
    char name[64];

    ck_assert_msg(chardev_open_pty(&back, "test", &why) == 0, "%s", why.text);
    ck_assert_int_eq(ptsname_r(back.listener, name, sizeof name), 0);
    attach();
    for (unsigned i = 0; i < 2; i++) {
        int side;

        ck_assert_uint_lt(turn(20), 3);
        ck_assert(!front.open);
        ck_assert_uint_eq(fill(), 5000000); /* nobody looks: it is not kept */
        side = open(name, O_RDWR | O_NOCTTY);
        turn(300);
        ck_assert(front.open);
        print("a\nb");
        turn(20);
        expect_read(side, "a\nb"); /* not "\r\n" */
        ck_assert_int_eq(write(side, "typed\r", 6), 6);
        expect_typed("typed\r");
        close(side);
        turn(20);
    }
    end();
}
END_TEST

static Suite *chardev_suite(void)
{
    Suite *suite = suite_create("05 chardev");
    TCase *plain = tcase_create("plain");
    TCase *sockets = tcase_create("sockets");

    tcase_add_test(plain, null_takes_everything);
    tcase_add_test(plain, a_file_is_emptied_or_continued);
    tcase_add_test(plain, a_full_disk_loses_output_and_nothing_else);
    tcase_add_test(plain, fifos_go_both_ways);
    tcase_add_test(plain, a_pseudo_terminal_is_opened_and_closed_as_one_likes);
    tcase_add_test(sockets, callers_come_one_after_the_other);
    tcase_add_test(sockets, a_second_caller_waits_for_the_first_to_leave);
    tcase_add_test(sockets, a_slow_reader_gets_all_in_order_and_the_sink_is_full_meanwhile);
    tcase_add_test(sockets, a_guest_that_does_not_read_is_not_read_for);
    tcase_add_test(sockets, a_front_end_that_does_not_listen_is_asked_again);
    tcase_add_test(sockets, what_was_typed_before_leaving_arrives);
    tcase_add_test(sockets, a_caller_that_has_left_with_much_unread_is_no_busy_loop);
    tcase_add_test(sockets, the_next_caller_gets_nothing_that_was_for_the_last);
    tcase_add_test(sockets, a_caller_survives_a_new_machine);
    tcase_add_test(sockets, a_leftover_socket_is_replaced_and_one_in_use_is_not);
    tcase_add_test(sockets, a_file_that_is_no_socket_is_left_alone);
    tcase_add_test(sockets, a_name_that_is_too_long_is_refused);
    tcase_add_test(sockets, tcp_calls_and_is_called);
    tcase_add_loop_test(sockets, a_client_calls_again, 0, 2);
    suite_add_tcase(suite, plain);
    suite_add_tcase(suite, sockets);
    return suite;
}

int main(void)
{
    return harness_main(chardev_suite());
}
