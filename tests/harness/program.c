/* program.c: running a program to its end, and guests against their sources. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/harness.h"

#define OUTPUT_MAX (16u << 20)
#define ARGS_MAX   16u
#define LINES_MAX  64u

struct capture {
    int fd;
    char *text;
    size_t size, room;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pipe_or_die(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        ck_abort_msg("pipe: %s", strerror(errno));
}

/* Takes what is there. False at the end. */
static bool capture_more(struct capture *capture)
{
    char buffer[65536];
    ssize_t got = read(capture->fd, buffer, sizeof buffer);

    if (got <= 0)
        return got < 0 && errno == EINTR;
    if (capture->size + (size_t)got > OUTPUT_MAX)
        return true;
    if (capture->size + (size_t)got + 1 > capture->room) {
        capture->room = 2 * (capture->size + (size_t)got) + 1;
        capture->text = realloc(capture->text, capture->room);
        ck_assert_ptr_nonnull(capture->text);
    }
    memcpy(capture->text + capture->size, buffer, (size_t)got);
    capture->size += (size_t)got;
    return true;
}

static pid_t start(const char *const argv[], const char *input, int out, int err)
{
    int feed[2] = {-1, -1};
    pid_t child;

    if (input)
        pipe_or_die(feed);
    child = fork();
    if (child < 0)
        ck_abort_msg("fork: %s", strerror(errno));
    if (child == 0) {
        int in = input ? feed[0] : open("/dev/null", O_RDONLY);

        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        execvp(argv[0], (char *const *)argv);
        fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    if (input) {
        close(feed[0]);
        /* Small enough for a pipe's buffer, so this cannot block. */
        if (write(feed[1], input, strlen(input)) < 0 && errno != EPIPE)
            ck_abort_msg("write: %s", strerror(errno));
        close(feed[1]);
    }
    return child;
}

/* Collects both outputs until both end or the time is over. False: time is over. */
static bool collect(struct capture captures[2], double deadline)
{
    struct pollfd polls[2] = {{.fd = captures[0].fd, .events = POLLIN},
                              {.fd = captures[1].fd, .events = POLLIN}};

    while (polls[0].fd >= 0 || polls[1].fd >= 0) {
        double left = deadline - now();

        if (left <= 0)
            return false;
        if (poll(polls, 2, (int)(left * 1000) + 1) < 0 && errno != EINTR)
            ck_abort_msg("poll: %s", strerror(errno));
        for (int i = 0; i < 2; i++)
            if (polls[i].revents && !capture_more(&captures[i]))
                polls[i].fd = -1;
    }
    return true;
}

static char *finish(struct capture *capture)
{
    close(capture->fd);
    if (!capture->text)
        capture->text = calloc(1, 1);
    ck_assert_ptr_nonnull(capture->text);
    capture->text[capture->size] = '\0';
    return capture->text;
}

struct program program_run(const char *const argv[], const char *input, double seconds)
{
    struct program program = {0};
    struct capture captures[2] = {{0}};
    int out[2], err[2], status;
    double begin = now();
    pid_t child;

    signal(SIGPIPE, SIG_IGN);
    pipe_or_die(out);
    pipe_or_die(err);
    child = start(argv, input, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    captures[0].fd = out[0];
    captures[1].fd = err[0];

    if (!collect(captures, begin + seconds)) {
        program.timed_out = true;
        kill(child, SIGKILL);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    program.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    program.seconds = now() - begin;
    program.out = finish(&captures[0]);
    program.err = finish(&captures[1]);
    program.out_size = captures[0].size;
    program.err_size = captures[1].size;
    return program;
}

void program_free(struct program *program)
{
    free(program->out);
    free(program->err);
    *program = (struct program){0};
}

void e2e_run(const char *const argv[], int status, const char *out, const char *err,
             const char *cause, const char *section)
{
    struct program ran = program_run(argv, NULL, 20);
    char expected[1024];

    snprintf(expected, sizeof expected, "status %d, \"%s\" on stdout, \"%s\" on stderr", status,
             out, err);
    if (ran.timed_out || ran.status != status || !strstr(ran.out, out) || !strstr(ran.err, err))
        e2e_fail(section, expected, cause, "status %d, stdout \"%s\", stderr \"%s\"", ran.status,
                 ran.out, ran.err);
    program_free(&ran);
}

/* What a guest's source says about its run. */
struct contract {
    char *args[ARGS_MAX];
    unsigned arg_count;
    char *expected; /* all lines, joined */
    char *errors[LINES_MAX];
    unsigned error_count;
    char *input; /* or NULL */
    int status;
};

/* Appends text and an end; turns \n into a line's end if asked. */
static char *join(char *to, const char *text, bool escapes, const char *end)
{
    size_t used = to ? strlen(to) : 0;
    char *joined = realloc(to, used + strlen(text) + strlen(end) + 1);
    char *at = joined + used;

    ck_assert_ptr_nonnull(joined);
    for (; *text; text++) {
        if (escapes && text[0] == '\\' && text[1] == 'n') {
            *at++ = '\n';
            text++;
        } else {
            *at++ = *text;
        }
    }
    strcpy(at, end);
    return joined;
}

static void parse_line(struct contract *contract, char *line)
{
    char *value = strstr(line, ": "), *word;

    line[strcspn(line, "\n")] = '\0';
    if (line[0] != ';' || !value)
        return;
    value += 2;
    if (strncmp(line, "; expect: ", 10) == 0) {
        contract->expected = join(contract->expected, value, false, "\n");
    } else if (strncmp(line, "; expect-error: ", 16) == 0) {
        ck_assert_uint_lt(contract->error_count, LINES_MAX);
        contract->errors[contract->error_count++] = strdup(value);
    } else if (strncmp(line, "; input: ", 9) == 0) {
        contract->input = join(contract->input, value, true, "");
    } else if (strncmp(line, "; status: ", 10) == 0) {
        contract->status = atoi(value);
    } else if (strncmp(line, "; args: ", 8) == 0) {
        while ((word = strsep(&value, " ")))
            if (*word && contract->arg_count < ARGS_MAX)
                contract->args[contract->arg_count++] = strdup(word);
    }
}

static struct contract read_contract(const char *guest)
{
    struct contract contract = {0};
    const char *slash = strchr(guest, '/');
    char path[512], *line = NULL;
    size_t room = 0;
    FILE *file;

    snprintf(path, sizeof path, "chapters/%.*s/guest/%s.asm", (int)(slash - guest), guest,
             slash + 1);
    file = fopen(path, "re");
    if (!file)
        ck_abort_msg("cannot open %s: %s", path, strerror(errno));
    while (getline(&line, &room, file) > 0)
        parse_line(&contract, line);
    free(line);
    fclose(file);
    if (!contract.expected && contract.error_count == 0)
        ck_abort_msg("%s has no \"; expect:\" line: this test could not fail", path);
    return contract;
}

static void free_contract(struct contract *contract)
{
    for (unsigned i = 0; i < contract->arg_count; i++)
        free(contract->args[i]);
    for (unsigned i = 0; i < contract->error_count; i++)
        free(contract->errors[i]);
    free(contract->expected);
    free(contract->input);
}

static void compare(const struct contract *contract, const struct program *ran, const char *section)
{
    const char *expected = contract->expected ? contract->expected : "";

    if (ran->timed_out)
        e2e_fail(section, "an end within the time limit",
                 "the run loop goes on after HLT, or the guest lost its way",
                 "still running; it said \"%s\" and \"%s\"", ran->out, ran->err);
    if (strcmp(ran->out, expected) != 0)
        e2e_fail(section, expected, "a port, a width or a count handled wrongly",
                 "\"%s\" on standard output; standard error: \"%s\"", ran->out, ran->err);
    for (unsigned i = 0; i < contract->error_count; i++)
        if (!strstr(ran->err, contract->errors[i]))
            e2e_fail(section, contract->errors[i], "an exit reason explained wrongly",
                     "\"%s\" on standard error", ran->err);
    if (ran->status != contract->status) {
        char wanted[32];

        snprintf(wanted, sizeof wanted, "exit status %d", contract->status);
        e2e_fail(section, wanted, "an exit reason mapped to the wrong status",
                 "exit status %d; standard error: \"%s\"", ran->status, ran->err);
    }
}

void e2e_guest(const char *program, const char *guest, const char *section)
{
    e2e_guest_with(program, NULL, guest, section);
}

void e2e_guest_with(const char *program, const char *option, const char *guest, const char *section)
{
    struct contract contract = read_contract(guest);
    const char *argv[ARGS_MAX + 4];
    char payload[512];
    struct program ran;
    unsigned count = 0;

    snprintf(payload, sizeof payload, "%s.bin", guest);
    argv[count++] = harness_built(program);
    if (option)
        argv[count++] = option;
    for (unsigned i = 0; i < contract.arg_count; i++)
        argv[count++] = contract.args[i];
    argv[count++] = harness_built(payload);
    argv[count] = NULL;

    ran = program_run(argv, contract.input, 20);
    compare(&contract, &ran, section);
    program_free(&ran);
    free_contract(&contract);
}
