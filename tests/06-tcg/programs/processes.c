/* Processes: fork, exec, spawn, wait, pipes, descriptors across exec. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

static int status_of(pid_t child)
{
    int status;

    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void fork_copies_memory(void)
{
    volatile int value = 1;
    pid_t child = fork();

    if (child == 0) {
        value = 2;
        _exit(value + 5);
    }
    CHECK(status_of(child) == 7 && value == 1);
}

static void vfork_shares_it(void)
{
    volatile int value = 1;
    pid_t child = vfork();

    if (child == 0) {
        value = 2;
        _exit(3);
    }
    CHECK(status_of(child) == 3 && value == 2);
}

static void exec_keeps_descriptors_and_environment(const char *self)
{
    int ends[2], closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char text[64] = "", first[16], second[16];
    pid_t child;

    CHECK(pipe(ends) == 0);
    sprintf(first, "%d", ends[1]);
    sprintf(second, "%d", closed);
    child = fork();
    if (child == 0) {
        char *argv[] = {"another name", "child", first, second, "", NULL};
        char *envp[] = {"COLOUR=green", "LD_PRELOAD=nothing.so", NULL};

        signal(SIGUSR1, SIG_IGN);
        execve(self, argv, envp);
        _exit(99);
    }
    close(ends[1]);
    CHECK(read(ends[0], text, sizeof text) == 24);
    CHECK(strcmp(text, "another name green noth") == 0);
    CHECK(status_of(child) == 17);
}

static int be_child(char **argv)
{
    int fd = atoi(argv[2]), closed = atoi(argv[3]);
    char text[64];
    struct sigaction action;

    CHECK(argv[4][0] == '\0' && !argv[5]);
    CHECK_ERRNO(fcntl(closed, F_GETFD), EBADF);
    CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    snprintf(text, sizeof text, "%s %s %.4s", argv[0], getenv("COLOUR"), getenv("LD_PRELOAD"));
    CHECK(write(fd, text, strlen(text) + 1) > 0);
    return 17;
}

static void what_cannot_run_is_refused(void)
{
    char *argv[] = {"x", NULL};
    char path[] = "/tmp/rarm-exec-XXXXXX";
    int fd = mkstemp(path);
    pid_t child;

    CHECK(fd >= 0 && write(fd, "#!/no/such/interpreter\n", 23) == 23);
    close(fd);
    CHECK_ERRNO(execve("/no/such/file", argv, environ), ENOENT);
    CHECK_ERRNO(execve("/", argv, environ), EACCES);
    CHECK_ERRNO(execve(path, argv, environ), EACCES);
    CHECK(chmod(path, 0700) == 0);
    CHECK_ERRNO(execve(path, argv, environ), ENOENT);
    fd = open(path, O_WRONLY | O_TRUNC);
    CHECK(write(fd, "\177ELFnot really", 14) == 14);
    close(fd);
    CHECK_ERRNO(execve(path, argv, environ), ENOEXEC);
    unlink(path);
    CHECK(posix_spawn(&child, "/no/such/file", NULL, NULL, argv, environ) == ENOENT);
}

static void scripts_run(const char *self)
{
    char path[] = "/tmp/rarm-script-XXXXXX", text[5000];
    int fd = mkstemp(path), length = sprintf(text, "#! %s  script arg \nrest\n", self);
    char *argv[3] = {"name", "more", NULL};
    pid_t child;

    CHECK(write(fd, text, length) == length && fchmod(fd, 0700) == 0);
    close(fd);
    CHECK(posix_spawn(&child, path, NULL, NULL, argv, environ) == 0);
    CHECK(status_of(child) == 33);
    argv[0] = "name", argv[1] = "me", argv[2] = NULL;
    CHECK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ) == 0);
    CHECK(status_of(child) == 44); /* busybox starts its own applets so */
    unlink(path);
}

static void waiting_tells_how_it_ended(void)
{
    siginfo_t info;
    struct rusage usage;
    int status;
    pid_t child = fork();

    if (child == 0) {
        raise(SIGSTOP);
        raise(SIGKILL);
    }
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) &&
          WSTOPSIG(status) == SIGSTOP);
    CHECK(kill(child, SIGCONT) == 0);
    memset(&info, 0, sizeof info);
    CHECK(waitid(P_PID, child, &info, WEXITED) == 0);
    CHECK(info.si_signo == SIGCHLD && info.si_pid == child && info.si_code == CLD_KILLED &&
          info.si_status == SIGKILL);
    CHECK_ERRNO(wait4(-1, &status, 0, &usage), ECHILD);
}

int main(int argc, char **argv)
{
    char self[4096] = "";

    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return be_child(argv);
    if (argc > 1 && strcmp(argv[1], "me") == 0)
        return 44;
    /* The kernel puts all of a script's #! arguments into one. */
    if (argc > 3 && strcmp(argv[1], "script arg") == 0 && strcmp(argv[3], "more") == 0)
        return 33;
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    fork_copies_memory();
    vfork_shares_it();
    exec_keeps_descriptors_and_environment(self);
    what_cannot_run_is_refused();
    scripts_run(self);
    waiting_tells_how_it_ended();
    puts("processes: ok");
    return 0;
}
