/*
 * host.h: what this computer says about itself, for the doctor.
 *
 * Facts only, no judgement (diagnosis.h) and no guest (probe.h). Sources are
 * /proc/cpuinfo, /sys/module and /dev/kvm below a root folder, so that tests can
 * show it other computers.
 */
#ifndef CHAPTER_01_HOST_H
#define CHAPTER_01_HOST_H

#include <stdbool.h>
#include <stdint.h>

#define HOST_CAPABILITIES_MAX 32u
#define HOST_TOOLS_MAX        16u

/* A KVM capability that some chapter needs. */
struct host_capability {
    const char *name; /* "KVM_CAP_IRQCHIP" */
    const char *needed_by;
    int value; /* what KVM_CHECK_EXTENSION said; 0 is absent */
};

/* A program or library that building, testing or the lab needs. */
struct host_tool {
    const char *name;
    const char *needed_by;
    bool found;
};

enum host_paging { PAGING_UNKNOWN, PAGING_ONE_DIMENSION, PAGING_TWO_DIMENSIONS };

struct host {
    char architecture[32];   /* uname -m */
    char model[64];          /* the processor's name */
    bool vmx, svm;           /* Intel VT-x, AMD-V */
    bool hypervisor;         /* this computer is a guest itself */
    bool software_kvm;       /* KVM without hardware: the kvm_pvm module */
    enum host_paging paging; /* EPT or NPT switched on? */
    int open_error;          /* errno of opening /dev/kvm, or 0 */
    char group[32];          /* whose members may open it; "" if there is none but root's */
    int create_error;        /* errno of KVM_CREATE_VM, or 0 */
    int api_version;         /* 12, or 0 if unknown */
    struct host_capability capabilities[HOST_CAPABILITIES_MAX];
    unsigned capability_count;
    struct host_tool tools[HOST_TOOLS_MAX];
    unsigned tool_count;
};

/* Fills host with what is found below root ("" for the real computer). */
void host_inspect(struct host *host, const char *root);

#endif
