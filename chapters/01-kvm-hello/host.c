/*
 * host.c: see host.h.
 *
 * CPU flags come from /proc/cpuinfo rather than from CPUID, because Linux removes
 * the flags it does not let us use (a BIOS that locked VT-x, for example).
 */
#define _GNU_SOURCE
#include "01-kvm-hello/host.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/bits.h"

static const struct {
    unsigned long number;
    const char *name;
    const char *needed_by;
} needed_capabilities[] = {
#define CAPABILITY(name, chapters)                                                                 \
    {                                                                                              \
        name, #name, chapters                                                                      \
    }
    CAPABILITY(KVM_CAP_USER_MEMORY, "every chapter"),
    CAPABILITY(KVM_CAP_SET_TSS_ADDR, "every chapter, on Intel"),
    CAPABILITY(KVM_CAP_SET_IDENTITY_MAP_ADDR, "every chapter, on Intel"),
    CAPABILITY(KVM_CAP_IMMEDIATE_EXIT, "chapter 7"),
    CAPABILITY(KVM_CAP_EXT_CPUID, "chapters 2 and 7"),
    CAPABILITY(KVM_CAP_SET_GUEST_DEBUG, "chapter 2"),
    CAPABILITY(KVM_CAP_READONLY_MEM, "chapter 3"),
    CAPABILITY(KVM_CAP_IRQCHIP, "chapters 4 to 7"),
    CAPABILITY(KVM_CAP_IRQ_ROUTING, "chapters 4 to 7"),
    CAPABILITY(KVM_CAP_IRQFD, "chapters 4 to 7"),
    CAPABILITY(KVM_CAP_IRQFD_RESAMPLE, "chapter 4"),
    CAPABILITY(KVM_CAP_IOEVENTFD, "chapters 4 to 7"),
    CAPABILITY(KVM_CAP_SIGNAL_MSI, "chapters 4 to 7"),
    CAPABILITY(KVM_CAP_USER_NMI, "chapter 4"),
    CAPABILITY(KVM_CAP_PIT2, "chapters 4 and 7"),
    CAPABILITY(KVM_CAP_MP_STATE, "chapter 7"),
#undef CAPABILITY
};
_Static_assert(ARRAY_SIZE(needed_capabilities) <= HOST_CAPABILITIES_MAX, "room for each");

static const struct host_tool needed_tools[] = {
    {.name = "cc", .needed_by = "building"},
    {.name = "make", .needed_by = "building"},
    {.name = "nasm", .needed_by = "building"},
    {.name = "pkg-config", .needed_by = "tests"},
    {.name = "python3", .needed_by = "the book"},
    {.name = "cpio", .needed_by = "booting Linux"},
    {.name = "qemu-system-x86_64", .needed_by = "the lab"},
};
_Static_assert(ARRAY_SIZE(needed_tools) <= HOST_TOOLS_MAX, "room for each");

/* A path below root; long ones are cut, and then simply not found. */
struct path {
    char text[PATH_MAX];
};

static struct path below(const char *root, const char *rest)
{
    struct path path;

    snprintf(path.text, sizeof path.text, "%s%s", root, rest);
    return path;
}

static bool exists(const char *root, const char *rest)
{
    return access(below(root, rest).text, F_OK) == 0;
}

/* Is word one of the blank-separated words of line? */
static bool has_word(const char *line, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = line; (at = strstr(at, word)); at += length)
        if ((at == line || strchr(" \t:", at[-1])) && strchr(" \t\n", at[length]))
            return true;
    return false;
}

static void read_cpuinfo(struct host *host, const char *root)
{
    FILE *file = fopen(below(root, "/proc/cpuinfo").text, "re");
    char *line = NULL;
    size_t room = 0;

    if (!file)
        return;
    while (getline(&line, &room, file) > 0 && line[0] != '\n') { /* the first CPU is enough */
        const char *value = strchr(line, ':');

        if (value && strncmp(line, "model name", 10) == 0)
            snprintf(host->model, sizeof host->model, "%.*s", (int)strcspn(value + 2, "\n"),
                     value + 2);
        if (strncmp(line, "flags", 5) == 0) {
            host->vmx = has_word(line, "vmx");
            host->svm = has_word(line, "svm");
            host->hypervisor = has_word(line, "hypervisor");
        }
    }
    free(line);
    fclose(file);
}

/* Reads a module's switch: 'Y' or '1' is on. */
static enum host_paging read_paging(const char *root, const char *parameter)
{
    FILE *file = fopen(below(root, parameter).text, "re");
    int value;

    if (!file)
        return PAGING_UNKNOWN;
    value = fgetc(file);
    fclose(file);
    return value == 'Y' || value == '1' ? PAGING_TWO_DIMENSIONS : PAGING_ONE_DIMENSION;
}

/* Distributions give /dev/kvm to a group, kvm. In a container it may be root's alone. */
static void ask_for_the_group(struct host *host, const char *root)
{
    const mode_t needed = S_IRGRP | S_IWGRP;
    const struct group *group;
    struct stat status;

    if (stat(below(root, "/dev/kvm").text, &status) < 0 || status.st_gid == 0 ||
        (status.st_mode & needed) != needed)
        return;
    group = getgrgid(status.st_gid);
    if (group)
        snprintf(host->group, sizeof host->group, "%s", group->gr_name);
}

static void ask_kvm(struct host *host, const char *root)
{
    int kvm = open(below(root, "/dev/kvm").text, O_RDWR | O_CLOEXEC);
    int vm, version;

    if (kvm < 0) {
        host->open_error = errno;
        return;
    }
    version = ioctl(kvm, KVM_GET_API_VERSION, 0);
    if (version < 0) {
        host->open_error = errno; /* something else is called /dev/kvm */
        close(kvm);
        return;
    }
    host->api_version = version;
    for (unsigned i = 0; i < ARRAY_SIZE(needed_capabilities); i++) {
        int value = ioctl(kvm, KVM_CHECK_EXTENSION, needed_capabilities[i].number);

        host->capabilities[host->capability_count++] = (struct host_capability){
            .name = needed_capabilities[i].name,
            .needed_by = needed_capabilities[i].needed_by,
            .value = value > 0 ? value : 0,
        };
    }
    vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0)
        host->create_error = errno;
    else
        close(vm);
    close(kvm);
}

static bool on_search_path(const char *root, const char *program)
{
    char folders[PATH_MAX], *rest = folders, *folder;

    snprintf(folders, sizeof folders, "%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    while ((folder = strsep(&rest, ":"))) {
        struct path name;

        snprintf(name.text, sizeof name.text, "%s%.2000s/%s", root, folder, program);
        if (access(name.text, X_OK) == 0)
            return true;
    }
    return false;
}

void host_inspect(struct host *host, const char *root)
{
    struct utsname names;

    *host = (struct host){.model = "unknown"};
    if (uname(&names) == 0)
        snprintf(host->architecture, sizeof host->architecture, "%.31s", names.machine);
    read_cpuinfo(host, root);
    host->software_kvm = exists(root, "/sys/module/kvm_pvm");
    if (exists(root, "/sys/module/kvm_intel"))
        host->paging = read_paging(root, "/sys/module/kvm_intel/parameters/ept");
    else if (exists(root, "/sys/module/kvm_amd"))
        host->paging = read_paging(root, "/sys/module/kvm_amd/parameters/npt");
    ask_for_the_group(host, root);
    ask_kvm(host, root);

    for (unsigned i = 0; i < ARRAY_SIZE(needed_tools); i++) {
        host->tools[i] = needed_tools[i];
        host->tools[i].found = on_search_path(root, needed_tools[i].name);
    }
    host->tool_count = ARRAY_SIZE(needed_tools);
}
