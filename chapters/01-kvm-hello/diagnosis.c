/* diagnosis.c: see diagnosis.h. One function for each finding, in the order printed. */
#define _GNU_SOURCE
#include "01-kvm-hello/diagnosis.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "01-kvm-hello/exits.h"

/*
 * A distribution kernel runs some 600 million instructions before its init. Below
 * this speed that takes half a minute or more, and timers start to pile up.
 */
#define LINUX_INSTRUCTIONS_PER_SECOND 20e6

#define LAB_REMEDY                    "none needed: Linux boots in the lab (QEMU's emulation), as 'make boot' does"

__attribute__((format(printf, 4, 5))) static struct finding *
add(struct diagnosis *diagnosis, const char *subject, enum verdict verdict, const char *format, ...)
{
    struct finding *finding = &diagnosis->findings[diagnosis->count++];
    va_list args;

    *finding = (struct finding){.subject = subject, .verdict = verdict};
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
    return finding;
}

static void remedy(struct finding *finding, const char *text)
{
    snprintf(finding->remedy, sizeof finding->remedy, "%s", text);
}

/* You may not open the device. Who may? */
static void remedy_permission(struct finding *finding, const struct host *host)
{
    if (host->group[0])
        snprintf(finding->remedy, sizeof finding->remedy,
                 "sudo usermod -aG %s $USER   (then log in again)", host->group);
    else
        remedy(finding, "sudo chown $USER /dev/kvm   (until the next start)");
}

static void check_architecture(struct diagnosis *d, const struct host *host)
{
    if (strcmp(host->architecture, "x86_64") == 0)
        add(d, "architecture", VERDICT_OK, "x86_64, %s", host->model);
    else
        remedy(
            add(d, "architecture", VERDICT_PROBLEM, "%s; our guests are x86", host->architecture),
            "use an x86-64 computer");
}

static void check_virtualization(struct diagnosis *d, const struct host *host)
{
    const char *inside = host->hypervisor ? "; this computer is itself a guest" : "";

    if (host->vmx || host->svm)
        add(d, "virtualization", VERDICT_OK, "%s%s", host->vmx ? "Intel VT-x (vmx)" : "AMD-V (svm)",
            inside);
    else
        remedy(add(d, "virtualization", VERDICT_NOTE, "no vmx or svm flag%s", inside),
               host->hypervisor
                   ? "none from inside; the outer hypervisor may offer nested virtualization"
                   : "switch VT-x or AMD-V (SVM) on in the firmware's setup");
}

static void check_device(struct diagnosis *d, const struct host *host)
{
    switch (host->open_error) {
    case 0: break;
    case ENOENT:
    case ENODEV:
    case ENXIO:
        remedy(add(d, "/dev/kvm", VERDICT_PROBLEM, "%s", strerror(host->open_error)),
               host->vmx   ? "sudo modprobe kvm_intel"
               : host->svm ? "sudo modprobe kvm_amd"
                           : "none without vmx or svm: use the lab");
        return;
    case EACCES:
    case EPERM:
        remedy_permission(add(d, "/dev/kvm", VERDICT_PROBLEM, "%s", strerror(host->open_error)),
                          host);
        return;
    default:
        remedy(add(d, "/dev/kvm", VERDICT_PROBLEM, "%s", strerror(host->open_error)),
               "look at 'dmesg | grep -i kvm'");
        return;
    }
    if (host->create_error)
        remedy(add(d, "/dev/kvm", VERDICT_PROBLEM, "opens, but creating a machine fails: %s",
                   strerror(host->create_error)),
               host->create_error == EBUSY ? "stop the other hypervisor (VirtualBox, VMware)"
                                           : "look at 'dmesg | grep -i kvm'");
    else
        add(d, "/dev/kvm", VERDICT_OK, "API version %d%s", host->api_version,
            host->software_kvm ? ", software KVM (kvm_pvm)" : "");
}

static void check_paging(struct diagnosis *d, const struct host *host)
{
    switch (host->paging) {
    case PAGING_TWO_DIMENSIONS:
        add(d, "nested paging", VERDICT_OK, "on (%s)", host->svm ? "NPT" : "EPT");
        break;
    case PAGING_ONE_DIMENSION:
        remedy(add(d, "nested paging", VERDICT_NOTE, "off: KVM builds shadow page tables"),
               host->svm ? "sudo modprobe -r kvm_amd && sudo modprobe kvm_amd npt=1"
                         : "sudo modprobe -r kvm_intel && sudo modprobe kvm_intel ept=1");
        break;
    case PAGING_UNKNOWN:
        add(d, "nested paging", VERDICT_NOTE,
            "not visible: neither kvm_intel nor kvm_amd is loaded");
    }
}

static void check_capabilities(struct diagnosis *d, const struct host *host)
{
    unsigned missing = 0;

    for (unsigned i = 0; i < host->capability_count; i++) {
        const struct host_capability *capability = &host->capabilities[i];

        if (capability->value)
            continue;
        /* One finding a capability would drown the rest: name the first. */
        if (missing++ == 0)
            remedy(add(d, "capabilities", VERDICT_PROBLEM, "%s is absent; %s need%s it",
                       capability->name, capability->needed_by,
                       strstr(capability->needed_by, "chapters") ? "" : "s"),
                   "use a newer kernel, or the lab: KVM=lab make check");
    }
    if (host->capability_count > 0 && missing == 0)
        add(d, "capabilities", VERDICT_OK, "all %u that the chapters need", host->capability_count);
}

static void check_probe(struct diagnosis *d, const struct probe *probe)
{
    static const char *const reached[] = {"nothing ran", "real mode ran, 64-bit mode did not",
                                          "a 64-bit loop did not end",
                                          "LOCK CMPXCHG16B did not work", "LOCK CMPXCHG16B works"};
    bool whole = probe->step == PROBE_CMPXCHG16B;
    bool fast = probe->instructions_per_second >= LINUX_INSTRUCTIONS_PER_SECOND;
    struct finding *finding;

    finding = add(d, "guest kernels", whole && fast ? VERDICT_OK : VERDICT_NOTE,
                  "ring 0 ran at %.1f million instructions/s; %s%s%s",
                  probe->instructions_per_second / 1e6, reached[probe->step],
                  whole              ? ""
                  : probe->timed_out ? ": time limit"
                                     : ": ",
                  whole || probe->timed_out ? "" : exit_name(probe->last_exit));
    if (!whole || !fast)
        remedy(finding, LAB_REMEDY);
}

static void check_tools(struct diagnosis *d, const struct host *host)
{
    char missing[160] = "";

    for (unsigned i = 0; i < host->tool_count; i++) {
        size_t used = strlen(missing);

        /* The lab's QEMU is no loss where guests run on the host. */
        if (!host->tools[i].found &&
            !(d->where == WHERE_HOST && strcmp(host->tools[i].needed_by, "the lab") == 0))
            snprintf(missing + used, sizeof missing - used, " %s (for %s)", host->tools[i].name,
                     host->tools[i].needed_by);
    }
    if (missing[0])
        remedy(add(d, "tools", VERDICT_PROBLEM, "missing:%s", missing), "make deps");
    else
        add(d, "tools", VERDICT_OK, "all there");
}

static enum where decide(const struct host *host, const struct probe *probe)
{
    if (host->open_error || host->create_error || !probe || probe->step < PROBE_REAL)
        return WHERE_LAB;
    if (probe->step == PROBE_CMPXCHG16B &&
        probe->instructions_per_second >= LINUX_INSTRUCTIONS_PER_SECOND)
        return WHERE_HOST;
    return WHERE_HOST_CHAPTERS_ONLY;
}

void diagnose(struct diagnosis *diagnosis, const struct host *host, const struct probe *probe)
{
    *diagnosis = (struct diagnosis){.where = decide(host, probe)};
    check_architecture(diagnosis, host);
    check_virtualization(diagnosis, host);
    check_device(diagnosis, host);
    check_paging(diagnosis, host);
    check_capabilities(diagnosis, host);
    if (probe)
        check_probe(diagnosis, probe);
    check_tools(diagnosis, host);
}

const char *where_name(enum where where)
{
    static const char *const names[] = {"host", "host-chapters-only", "lab"};

    return names[where];
}
