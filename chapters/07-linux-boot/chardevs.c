/* chardevs.c: see chardevs.h. */
#include "07-linux-boot/chardevs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/spelling.h"
#include "common/bits.h"
#include "common/die.h"

#define RECONNECT_MAX 86400u

#define ID_ROW                                                                                     \
    {                                                                                              \
        "id", property_id, AT(struct char_end, id), .form = "NAME"                                 \
    }
#define PATH_ROW                                                                                   \
    {                                                                                              \
        "path", property_text, AT(struct char_end, path), .form = "FILE"                           \
    }

static const struct property plain_properties[] = {ID_ROW, {.name = NULL}};
static const struct property pipe_properties[] = {ID_ROW, PATH_ROW, {.name = NULL}};
static const struct property file_properties[] = {
    ID_ROW,
    PATH_ROW,
    {"append", property_switch, AT(struct char_end, append), .form = "on|off"},
    {.name = NULL},
};
static const struct property socket_properties[] = {
    ID_ROW,
    PATH_ROW,
    {"host", property_text, AT(struct char_end, host), .form = "ADDRESS"},
    {"port", property_text, AT(struct char_end, port), .form = "PORT"},
    {"server", property_switch, AT(struct char_end, server), .form = "on|off"},
    {"wait", property_switch, AT(struct char_end, wait), .form = "on|off"},
    {"reconnect", property_number, AT(struct char_end, reconnect), .form = "SECONDS",
     .max = RECONNECT_MAX},
    {.name = NULL},
};

static int open_stdio(struct char_end *end, struct console *console, struct refusal *why)
{
    (void)why;
    chardev_open_console(&end->back, console);
    return 0;
}

static int open_null(struct char_end *end, struct console *console, struct refusal *why)
{
    (void)console, (void)why;
    chardev_open_null(&end->back);
    return 0;
}

static int check_path(const struct char_end *end, struct refusal *why)
{
    return end->path[0] ? 0 : refuse(why, -EINVAL, "has no path=");
}

static int open_file(struct char_end *end, struct console *console, struct refusal *why)
{
    (void)console;
    return chardev_open_file(&end->back, end->path, end->append, why);
}

static int open_pipe(struct char_end *end, struct console *console, struct refusal *why)
{
    (void)console;
    return chardev_open_pipe(&end->back, end->path, why);
}

static int open_pty(struct char_end *end, struct console *console, struct refusal *why)
{
    (void)console;
    return chardev_open_pty(&end->back, end->id, why);
}

static int check_socket(const struct char_end *end, struct refusal *why)
{
    if (end->path[0] && (end->host[0] || end->port[0]))
        return refuse(why, -EINVAL, "path= is of a UNIX socket, host= and port= of TCP");
    if (!end->path[0] && !end->port[0])
        return refuse(why, -EINVAL, "has no path=, nor port=");
    if (end->reconnect > 0 && end->server)
        return refuse(why, -EINVAL, "reconnect= is of a client, and server=on is none");
    return 0;
}

static int open_socket(struct char_end *end, struct console *console, struct refusal *why)
{
    struct chardev_socket address = {.path = end->path[0] ? end->path : NULL,
                                     .host = end->host,
                                     .port = end->port,
                                     .server = end->server,
                                     .wait = end->wait,
                                     .alone = end->alone,
                                     .reconnect = end->reconnect,
                                     .caller = &end->caller};

    (void)console;
    return chardev_open_socket(&end->back, &address, why);
}

static const struct chardev_kind kinds[] = {
    {"stdio", "this process's own terminal", plain_properties, NULL, open_stdio},
    {"null", "nobody", plain_properties, NULL, open_null},
    {"file", "a file", file_properties, check_path, open_file},
    {"pipe", "FIFOs path.in and path.out, or path", pipe_properties, check_path, open_pipe},
    {"pty", "a new pseudo terminal", plain_properties, NULL, open_pty},
    {"socket", "a UNIX socket (path) or TCP (host, port)", socket_properties, check_socket,
     open_socket},
};

static const struct chardev_kind *find_kind(const char *name, struct refusal *why)
{
    struct spelling spelling = spelling_of(name);

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
        spelling_offer(&spelling, kinds[i].name);
    }
    if (spelling.best)
        refuse(why, 0, "\"%.80s\" is no character back end: did you mean %s?", name, spelling.best);
    else
        refuse(why, 0,
               "\"%.80s\" is no character back end: there are stdio, null, file, pipe, pty and "
               "socket",
               name);
    return NULL;
}

struct char_end *chardevs_find(const struct chardevs *chardevs, const char *id)
{
    for (unsigned i = 0; i < chardevs->count; i++)
        if (strcmp(chardevs->list[i]->id, id) == 0)
            return chardevs->list[i];
    return NULL;
}

struct char_end *chardevs_terminal(const struct chardevs *chardevs)
{
    for (unsigned i = 0; i < chardevs->count; i++)
        if (chardevs->list[i]->kind->open == open_stdio)
            return chardevs->list[i];
    return NULL;
}

static int check(const struct chardevs *chardevs, const struct char_end *end, struct refusal *why)
{
    if (end->id[0] == '\0')
        return refuse(why, -EINVAL, "has no id=: no device could name it");
    if (chardevs_find(chardevs, end->id))
        return refuse(why, -EINVAL, "id=%s: another -chardev has that name", end->id);
    if (end->kind->open == open_stdio && chardevs_terminal(chardevs))
        return refuse(why, -EINVAL,
                      "stdio is %s already: one of them, or -serial mon:stdio for two in one",
                      chardevs_terminal(chardevs)->id);
    if (chardevs->count == CHARDEVS_MAX)
        return refuse(why, -ENOSPC, "there is no room for more than %u", CHARDEVS_MAX);
    return end->kind->check ? end->kind->check(end, why) : 0;
}

int chardevs_add(struct chardevs *chardevs, struct properties *given, struct refusal *why)
{
    const char *type = properties_remove(given, "type");
    const struct chardev_kind *kind;
    struct char_end *end;
    int error;

    if (!type)
        return refuse(why, -EINVAL, "says no kind: -chardev help lists them");
    kind = find_kind(type, why);
    if (!kind)
        return -EINVAL;
    end = malloc(sizeof *end);
    if (!end)
        die("no memory for a character back end");
    memset(end, 0, offsetof(struct char_end, back)); /* its opener fills the rest */
    end->kind = kind;
    end->wait = true;
    error = properties_apply(given, kind->properties, end, why);
    if (error == 0)
        error = check(chardevs, end, why);
    if (error < 0) {
        free(end);
        return error;
    }
    chardevs->list[chardevs->count++] = end;
    return 0;
}

/*
 * "tcp:HOST:PORT,..." has two values in a word, which is cut in place: it was read, so it lies
 * in given->text. [::1] is a host, too.
 */
static int split_address(struct properties *given, struct refusal *why)
{
    char *address = (char *)properties_remove(given, "address");
    char *colon = address ? strrchr(address, ':') : NULL;

    if (!colon)
        return refuse(why, -EINVAL, "not of the form tcp:HOST:PORT");
    *colon = '\0';
    if (*address == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        address++;
    }
    return properties_add(given, "host", address, why) < 0 ||
                   properties_add(given, "port", colon + 1, why) < 0
               ? -EINVAL
               : 0;
}

/* The old form as properties of the new. */
static int read_short(struct properties *given, const char *text, struct refusal *why)
{
    static const struct {
        const char *prefix, *type, *first;
    } rows[] = {
        {"file:", "file", "path"},
        {"pipe:", "pipe", "path"},
        {"unix:", "socket", "path"},
        {"tcp:", "socket", "address"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t length = strlen(rows[i].prefix);
        int error;

        if (strncmp(text, rows[i].prefix, length) != 0)
            continue;
        error = properties_read(given, text + length, rows[i].first, why);
        if (error == 0 && strcmp(rows[i].first, "address") == 0)
            error = split_address(given, why);
        return error < 0 ? error : properties_add(given, "type", rows[i].type, why);
    }
    return properties_read(given, text, "type", why);
}

struct char_end *chardevs_add_short(struct chardevs *chardevs, const char *text, const char *id,
                                    struct refusal *why)
{
    struct properties given = {.count = 0};
    struct char_end *end = NULL;

    if (read_short(&given, text, why) == 0 && properties_add(&given, "id", id, why) == 0 &&
        chardevs_add(chardevs, &given, why) == 0) {
        end = chardevs->list[chardevs->count - 1];
        end->taken = true;
    }
    properties_free(&given);
    return end;
}

bool chardevs_have_tcp(const struct chardevs *chardevs)
{
    for (unsigned i = 0; i < chardevs->count; i++)
        if (chardevs->list[i]->port[0])
            return true;
    return false;
}

static int call_address(void *address)
{
    return chardev_call(address);
}

int chardevs_find_servers(struct chardevs *chardevs, struct refusal *why)
{
    for (unsigned i = 0; i < chardevs->count; i++) {
        struct char_end *end = chardevs->list[i];
        struct chardev_socket names = {
            .path = end->path[0] ? end->path : NULL, .host = end->host, .port = end->port};
        struct refusal inner;

        if (end->reconnect == 0)
            continue;
        end->caller = (struct chardev_caller){call_address, &end->address};
        if (chardev_find(&names, &end->address, &inner) < 0)
            return refuse(why, -EINVAL, "-chardev socket,id=%s: %s", end->id, inner.text);
    }
    return 0;
}

int chardevs_open(struct chardevs *chardevs, struct console *console, struct refusal *why)
{
    for (unsigned i = 0; i < chardevs->count; i++) {
        struct char_end *end = chardevs->list[i];
        struct refusal inner;
        int error = end->kind->open(end, console, &inner);

        if (error < 0)
            return refuse(why, error, "-chardev %s,id=%s: %s", end->kind->name, end->id,
                          inner.text);
        end->open = true;
    }
    return 0;
}

bool chardevs_removes(const struct char_end *end)
{
    return end->server && end->path[0];
}

void chardevs_detach(struct chardevs *chardevs)
{
    for (unsigned i = 0; i < chardevs->count; i++)
        chardev_detach(&chardevs->list[i]->back);
}

void chardevs_close(struct chardevs *chardevs)
{
    while (chardevs->count > 0) {
        struct char_end *end = chardevs->list[--chardevs->count];

        if (end->open)
            chardev_close(&end->back);
        free(end);
    }
}

void chardevs_print(FILE *out)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        fprintf(out, "%s: %s\n", kinds[i].name, kinds[i].text);
        properties_print(out, kinds[i].properties);
    }
}
