/*
 * stopwatch.c: what a VMM has cost when its guest says a word.
 *
 *     stopwatch WORD SIZE COMMAND...
 *
 * Runs COMMAND, waits for WORD in its standard output, prints one line of JSON, and kills
 * it. SIZE is the guest's memory in bytes. In JSON:
 *
 *     ns        from before fork() to WORD. Under -icount a nanosecond is an instruction
 *     exits     KVM's count of VM exits in that time, of whatever kind
 *     faults    those of them that were guest memory touched for the first time
 *     resident  KiB of the process in RAM, the mapping of the guest's memory left out
 *     private   the part of it that no other process has, too
 *
 * The counters are the whole computer's (/sys/kernel/debug/kvm): nobody else may use KVM.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNTERS "/sys/kernel/debug/kvm/"

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static long counter(const char *name)
{
    char path[64];
    FILE *file;
    long value = -1;

    snprintf(path, sizeof path, COUNTERS "%s", name);
    file = fopen(path, "r");
    if (file && fscanf(file, "%ld", &value) != 1)
        value = -1;
    if (file)
        fclose(file);
    return value;
}

/* Adds up Rss and Private_* of all mappings smaller than the guest's memory. */
static void memory(pid_t pid, uint64_t guest, unsigned long *resident, unsigned long *private)
{
    unsigned long first, last, kib;
    char path[32], line[512];
    int ours = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/smaps", pid);
    file = fopen(path, "r");
    *resident = *private = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
            ours = last - first < guest;
        else if (ours && sscanf(line, "Rss: %lu", &kib) == 1)
            *resident += kib;
        else if (ours && (sscanf(line, "Private_Clean: %lu", &kib) == 1 ||
                          sscanf(line, "Private_Dirty: %lu", &kib) == 1))
            *private += kib;
    }
    if (file)
        fclose(file);
}

/* Until the word has come; what comes goes to standard error. False: it never did. */
static int wait_for(int fd, const char *word)
{
    static char text[1 << 16];
    size_t size = 0;
    ssize_t got;

    while (size < sizeof text - 1 && (got = read(fd, text + size, sizeof text - 1 - size)) > 0) {
        size += (size_t)got;
        text[size] = '\0';
        if (strstr(text, word))
            return 1;
    }
    fwrite(text, 1, size, stderr);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long resident, private;
    long exits, faults;
    int64_t start, end;
    int out[2], seen;
    pid_t pid;

    if (argc < 4 || pipe2(out, O_CLOEXEC) < 0) {
        fprintf(stderr, "usage: stopwatch WORD SIZE COMMAND...\n");
        return 2;
    }
    start = now();
    pid = vfork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    close(out[1]);
    seen = wait_for(out[0], argv[1]);
    end = now();
    exits = counter("exits");
    faults = counter("pf_taken");
    memory(pid, strtoull(argv[2], NULL, 10), &resident, &private);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (!seen)
        return 1;
    printf("{\"ns\": %lld, \"exits\": %ld, \"faults\": %ld, \"resident\": %lu, \"private\": %lu}\n",
           (long long)(end - start), exits, faults, resident, private);
    return 0;
}
