/*
 * http_host.h: an HTTP server of a folder, for a guest to fetch from and put into.
 *
 * One request a connection, one connection at a time: GET and PUT of a file directly in
 * the folder, whatever path is in front of its name. What is not there is 404, another
 * method 400.
 */
#ifndef TESTS_07_HTTP_HOST_H
#define TESTS_07_HTTP_HOST_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/harness.h"

struct http_host {
    const char *folder;
    int listener;
    unsigned port;
    pthread_t thread;
};

static inline void http_get(FILE *out, const char *path)
{
    FILE *file = fopen(path, "r");
    char bytes[65536];
    size_t got;

    if (!file) {
        fprintf(out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    }
    fseek(file, 0, SEEK_END);
    fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\nConnection: close\r\n\r\n",
            ftell(file));
    rewind(file);
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        fwrite(bytes, 1, got, out);
    fclose(file);
}

static inline void http_put(FILE *in, FILE *out, const char *path, size_t length)
{
    FILE *file = fopen(path, "w");
    char bytes[65536];

    while (length > 0) {
        size_t want = length < sizeof bytes ? length : sizeof bytes;
        size_t got = fread(bytes, 1, want, in);

        if (got == 0)
            break;
        fwrite(bytes, 1, got, file);
        length -= got;
    }
    fclose(file);
    fprintf(out, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

static inline void http_answer(const struct http_host *host, FILE *in, FILE *out)
{
    char line[1000], method[8] = "", asked[200] = "", path[300];
    const char *name;
    size_t length = 0;

    if (fgets(line, sizeof line, in))
        sscanf(line, "%7s %199s ", method, asked);
    while (fgets(line, sizeof line, in) && line[0] != '\r')
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = strtoul(line + 15, NULL, 10);
    name = strrchr(asked, '/');
    snprintf(path, sizeof path, "%s%s", host->folder, name ? name : "/");
    if (strcmp(method, "GET") == 0)
        http_get(out, path);
    else if (strcmp(method, "PUT") == 0)
        http_put(in, out, path, length);
    else
        fprintf(out, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
}

static inline void *http_serve(void *self)
{
    const struct http_host *host = self;
    int fd;

    while ((fd = accept(host->listener, NULL, NULL)) >= 0) {
        FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");

        http_answer(host, in, out);
        fclose(out);
        fclose(in);
    }
    return NULL;
}

/* A socket bound to a port of 127.0.0.1 that the system chose. */
static inline int http_any_port(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline void http_start(struct http_host *host, const char *folder)
{
    host->folder = folder;
    host->listener = http_any_port(&host->port);
    ck_assert_int_eq(listen(host->listener, 16), 0);
    ck_assert_int_eq(pthread_create(&host->thread, NULL, http_serve, host), 0);
}

static inline void http_stop(struct http_host *host)
{
    shutdown(host->listener, SHUT_RDWR); /* ends accept() */
    pthread_join(host->thread, NULL);
    close(host->listener);
}

#endif
