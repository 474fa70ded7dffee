/* Files: the structures and flags that differ between the machines. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define NO_POINTER ((void *)0xffffffff)

static char directory[] = "/tmp/rarm-files-XXXXXX";

static void open_s_flags_mean_what_they_say(void)
{
    int fd;

    CHECK(mkdtemp(directory) && chdir(directory) == 0);
    fd = open("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_DIRECTORY | O_DIRECT)) == O_RDWR);
    CHECK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK) == 0);
    CHECK((fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK)) == (O_APPEND | O_NONBLOCK));
    CHECK(write(fd, "0123456789", 10) == 10);
    close(fd);
    CHECK_ERRNO(open("file", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    CHECK_ERRNO(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK(symlink("file", "link") == 0);
    CHECK_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    fd = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0);
    close(fd);
}

static void stat_has_all_its_fields(void)
{
    struct timespec times[2] = {{1000000000, 123}, {1000000001, 456}};
    struct stat info, link;
    struct statfs fs;
    int fd = open("file", O_RDONLY);

    CHECK(utimensat(AT_FDCWD, "file", times, 0) == 0);
    CHECK(stat("file", &info) == 0 && lstat("link", &link) == 0);
    CHECK(S_ISREG(info.st_mode) && (info.st_mode & 0777) == 0640 && info.st_size == 10);
    CHECK(info.st_nlink == 1 && info.st_uid == geteuid() && info.st_blksize >= 512);
    CHECK(info.st_mtim.tv_sec == 1000000001 && info.st_mtim.tv_nsec == 456);
    CHECK(info.st_atim.tv_sec == 1000000000 && info.st_atim.tv_nsec == 123);
    CHECK(S_ISLNK(link.st_mode) && link.st_size == 4 && link.st_ino != info.st_ino);
    CHECK(fstat(fd, &link) == 0 && link.st_ino == info.st_ino && link.st_dev == info.st_dev);
    CHECK(fstatfs(fd, &fs) == 0 && fs.f_bsize >= 512 && fs.f_namelen >= 14);
    CHECK_ERRNO(stat("nothing", &info), ENOENT);
    CHECK_ERRNO(stat(NO_POINTER, &info), EFAULT);
    close(fd);
}

static void directories_are_listed(void)
{
    DIR *dir = opendir(".");
    struct dirent *entry;
    int files = 0, links = 0;

    CHECK(dir);
    while ((entry = readdir(dir))) {
        files += strcmp(entry->d_name, "file") == 0 && entry->d_type == DT_REG;
        links += strcmp(entry->d_name, "link") == 0 && entry->d_type == DT_LNK;
    }
    closedir(dir);
    CHECK(files == 1 && links == 1);
}

static void positions_have_64_bits(void)
{
    int fd = open("large", O_RDWR | O_CREAT | O_LARGEFILE, 0600);
    const off64_t far = 0x123456789;
    char text[4] = "";
    struct stat64 info;

    CHECK(pwrite64(fd, "abc", 3, far) == 3);
    CHECK(lseek64(fd, 0, SEEK_END) == far + 3);
    CHECK(pread64(fd, text, 3, far) == 3 && strcmp(text, "abc") == 0);
    CHECK(fstat64(fd, &info) == 0 && info.st_size == far + 3);
    CHECK(ftruncate64(fd, far * 2) == 0 && fstat64(fd, &info) == 0 && info.st_size == far * 2);
    CHECK(posix_fadvise64(fd, far, 100, POSIX_FADV_DONTNEED) == 0);
    CHECK_ERRNO(lseek64(fd, -1, SEEK_SET), EINVAL);
    close(fd);
    unlink("large");
}

static void scattered_buffers_are_gathered(void)
{
    char first[3], second[4], third[3];
    struct iovec in[] = {{"ab", 2}, {"", 0}, {"cdefgh", 6}, {"ij", 2}};
    struct iovec back[] = {{first, 3}, {second, 4}, {third, 3}};
    int fd = open("file", O_RDWR), other = open("copy", O_RDWR | O_CREAT, 0600);
    off_t from = 2;

    CHECK(writev(fd, in, 4) == 10 && lseek(fd, 0, SEEK_SET) == 0 && readv(fd, back, 3) == 10);
    CHECK(memcmp(first, "abc", 3) == 0 && memcmp(second, "defg", 4) == 0 &&
          memcmp(third, "hij", 3) == 0);
    CHECK(preadv(fd, back, 1, 5) == 3 && memcmp(first, "fgh", 3) == 0);
    CHECK(sendfile(other, fd, &from, 5) == 5 && from == 7);
    CHECK(pread(other, second, 4, 0) == 4 && memcmp(second, "cdef", 4) == 0);
    in[1] = (struct iovec){NO_POINTER, 5};
    CHECK_ERRNO(writev(fd, in + 1, 1), EFAULT);
    in[1].iov_len = 0x80000000;
    CHECK_ERRNO(writev(fd, in, 2), EINVAL);
    CHECK_ERRNO(writev(fd, in, 1025), EINVAL);
    CHECK_ERRNO(readv(fd, NO_POINTER, 2), EFAULT);
    close(fd);
    close(other);
}

static void locks_lock(void)
{
    int fd = open("file", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 3};
    struct flock64 wide = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x100000002};

    CHECK(fcntl(fd, F_SETLK, &lock) == 0);
    CHECK(fcntl(fd, F_SETLK64, &wide) == 0);
    CHECK(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK); /* ours does not hinder us */
    CHECK(flock(fd, 1) == 0);
    close(fd);
}

static void waiting_sees_what_is_ready(void)
{
    struct epoll_event event = {EPOLLIN, {.u64 = 0x1122334455667788}}, ready[4];
    int ends[2], waiter = epoll_create1(0), counter = eventfd(3, 0);
    struct timeval tenth = {0, 10000};
    uint64_t value;
    fd_set set;

    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    CHECK(epoll_ctl(waiter, EPOLL_CTL_ADD, ends[0], &event) == 0);
    CHECK(epoll_wait(waiter, ready, 4, 0) == 0);
    CHECK(poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, 10) == 0);
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    CHECK(select(ends[0] + 1, &set, NULL, NULL, &tenth) == 0 && !FD_ISSET(ends[0], &set));
    CHECK(write(ends[1], "xyz", 3) == 3);
    CHECK(epoll_wait(waiter, ready, 4, 1000) == 1);
    CHECK(ready[0].events == EPOLLIN && ready[0].data.u64 == 0x1122334455667788);
    FD_SET(ends[0], &set);
    CHECK(select(ends[0] + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(ends[0], &set));
    int bytes = 0;
    CHECK(ioctl(ends[0], FIONREAD, &bytes) == 0 && bytes == 3);
    CHECK(read(counter, &value, 8) == 8 && value == 3);
    CHECK_ERRNO(ioctl(ends[0], TCGETS, &bytes), ENOTTY);
    CHECK_ERRNO(ioctl(ends[0], 0x12345678, &bytes), ENOTTY);
    CHECK_ERRNO(ioctl(-1, 0x12345678, &bytes), EBADF);
}

static void timers_have_descriptors(void)
{
    struct itimerspec once = {{0, 0}, {0, 20000000}}, now;
    int timer = timerfd_create(CLOCK_MONOTONIC, 0), watch = inotify_init1(IN_NONBLOCK);
    uint64_t times = 0;
    char event[256];

    CHECK(timerfd_settime(timer, 0, &once, NULL) == 0);
    CHECK(timerfd_gettime(timer, &now) == 0 && now.it_value.tv_sec == 0 &&
          now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000);
    CHECK(read(timer, &times, 8) == 8 && times == 1);
    CHECK(inotify_add_watch(watch, ".", IN_CREATE) > 0);
    close(open("new", O_CREAT | O_WRONLY, 0600));
    CHECK(read(watch, event, sizeof event) > 16);
    CHECK(strcmp(((struct inotify_event *)event)->name, "new") == 0);
}

static void clean_up(void)
{
    static const char *const names[] = {"file", "link", "copy", "new"};

    for (int i = 0; i < 4; i++)
        CHECK(unlink(names[i]) == 0);
    CHECK(chdir("/") == 0 && rmdir(directory) == 0);
}

int main(void)
{
    open_s_flags_mean_what_they_say();
    stat_has_all_its_fields();
    directories_are_listed();
    positions_have_64_bits();
    scattered_buffers_are_gathered();
    locks_lock();
    waiting_sees_what_is_ready();
    timers_have_descriptors();
    clean_up();
    puts("files: ok");
    return 0;
}
