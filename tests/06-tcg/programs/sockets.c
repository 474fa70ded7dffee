/* Sockets: addresses, options, messages with descriptors and credentials. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void tcp_over_the_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in peer;
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, status;
    char text[32] = "";
    pid_t child;

    CHECK(listener >= 0);
    CHECK(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 4) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
          length == sizeof address && address.sin_port != 0);
    child = fork();
    if (child == 0) {
        int client = socket(AF_INET, SOCK_STREAM, 0);

        CHECK(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
        CHECK(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
        CHECK(send(client, "ping", 4, MSG_NOSIGNAL) == 4);
        CHECK(recv(client, text, sizeof text, 0) == 4 && strcmp(text, "pong") == 0);
        CHECK(shutdown(client, SHUT_RDWR) == 0);
        _exit(0);
    }
    length = sizeof peer;
    int server = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
    CHECK(server >= 0 && peer.sin_family == AF_INET && length == sizeof peer);
    CHECK(peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CHECK(recv(server, text, 4, MSG_WAITALL) == 4 && memcmp(text, "ping", 4) == 0);
    CHECK(send(server, "pong", 4, 0) == 4);
    CHECK(recv(server, text, 4, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(server);
    close(listener);
}

static void datagrams_have_senders(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in from;
    socklen_t length = sizeof address;
    int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval soon = {0, 20000}, back;
    char text[8];

    CHECK(bind(one, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(getsockname(one, (struct sockaddr *)&address, &length) == 0);
    CHECK(sendto(two, "hello", 5, 0, (struct sockaddr *)&address, sizeof address) == 5);
    length = sizeof from;
    CHECK(recvfrom(one, text, sizeof text, 0, (struct sockaddr *)&from, &length) == 5);
    CHECK(length == sizeof from && from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CHECK(setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
    length = sizeof back;
    CHECK(getsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &back, &length) == 0 && length == sizeof back);
    CHECK(back.tv_sec == 0 && back.tv_usec >= 20000);
    CHECK_ERRNO(recv(one, text, sizeof text, 0), EAGAIN);
    CHECK_ERRNO(recv(one, (void *)0xffffffff, 0x7fffffff, 0), EFAULT);
    close(one);
    close(two);
}

static void descriptors_travel(void)
{
    char control[CMSG_SPACE(2 * sizeof(int))], text[8] = "", byte = 'b';
    struct iovec buffer = {&byte, 1};
    struct msghdr message = {.msg_iov = &buffer,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    int pair[2], ends[2], fds[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(ends) == 0);
    *head = (struct cmsghdr){CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), ends, sizeof ends);
    CHECK(sendmsg(pair[0], &message, 0) == 1);
    memset(control, 0, sizeof control);
    CHECK(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC) == 1 && byte == 'b');
    head = CMSG_FIRSTHDR(&message);
    CHECK(head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(2 * sizeof(int)));
    CHECK(!CMSG_NXTHDR(&message, head));
    memcpy(fds, CMSG_DATA(head), sizeof fds);
    CHECK(fds[0] != ends[0] && (fcntl(fds[0], F_GETFD) & FD_CLOEXEC));
    CHECK(write(fds[1], "through", 8) == 8 && read(ends[0], text, 8) == 8);
    CHECK(strcmp(text, "through") == 0);
    message.msg_control = (void *)0xfffffff0;
    message.msg_controllen = 100;
    CHECK_ERRNO(sendmsg(pair[0], &message, 0), EFAULT);
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    head->cmsg_len = 3;
    CHECK_ERRNO(sendmsg(pair[0], &message, 0), EINVAL);
    signal(SIGPIPE, SIG_IGN);
    close(pair[1]);
    CHECK_ERRNO(write(pair[0], "x", 1), EPIPE);
}

static void credentials_travel(void)
{
    struct ucred ucred;
    socklen_t length = sizeof ucred;
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    CHECK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &ucred, &length) == 0);
    CHECK(length == sizeof ucred && ucred.pid == getpid() && ucred.uid == geteuid());
}

static void many_messages_at_once(void)
{
    struct iovec buffers[2] = {{"one", 3}, {"three", 5}};
    struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &buffers[0], .msg_iovlen = 1}},
                                  {.msg_hdr = {.msg_iov = &buffers[1], .msg_iovlen = 1}}};
    char text[8];
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    CHECK(sendmmsg(pair[0], messages, 2, 0) == 2);
    CHECK(messages[0].msg_len == 3 && messages[1].msg_len == 5);
    CHECK(recv(pair[1], text, sizeof text, 0) == 3 && recv(pair[1], text, sizeof text, 0) == 5);
}

/* Their values would hold addresses, and the kernel would follow them. */
static void options_with_pointers_are_refused(void)
{
    char value[64] = "";
    socklen_t length = sizeof value;
    int s = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, value, 8), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(s, IPPROTO_TCP, 35, value, &length), ENOPROTOOPT);
    CHECK_ERRNO(setsockopt(s, 283 /* SOL_XDP */, 4, value, 32), ENOPROTOOPT);
    CHECK_ERRNO(open("/proc/self/mem", O_RDWR), EACCES);
    close(s);
    s = socket(AF_INET6, SOCK_DGRAM, 0);
    if (s < 0 && errno == EAFNOSUPPORT)
        return;
    CHECK_ERRNO(setsockopt(s, IPPROTO_IPV6, 64 /* IP6T_SO_SET_REPLACE */, value, 64), ENOPROTOOPT);
    value[0] = 1;
    CHECK(setsockopt(s, IPPROTO_IPV6, IPV6_RECVTCLASS, value, sizeof(int)) == 0);
    close(s);
}

/* More than fit on anybody's stack. */
static void epoll_tells_all_that_are_ready(void)
{
    static struct epoll_event events[1500];
    struct rlimit limit;
    int set = epoll_create1(0), ready = eventfd(1, 0), first = ready, count = 1;

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, ready, &(struct epoll_event){EPOLLIN, {0}}) == 0);
    for (; count < 1200 && (ready = dup(first)) >= 0; count++)
        CHECK(epoll_ctl(set, EPOLL_CTL_ADD, ready, &(struct epoll_event){EPOLLIN, {0}}) == 0);
    CHECK(epoll_wait(set, events, 1500, 0) == count);
}

int main(void)
{
    tcp_over_the_loopback();
    datagrams_have_senders();
    descriptors_travel();
    credentials_travel();
    many_messages_at_once();
    options_with_pointers_are_refused();
    epoll_tells_all_that_are_ready();
    puts("sockets: ok");
    return 0;
}
