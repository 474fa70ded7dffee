/*
 * diagnosis.h: from facts to advice. What is wrong with this computer for our
 * purposes, and which one command mends it?
 *
 * A pure function of host.h's facts and probe.h's measurement, so that tests can
 * ask about computers they do not have.
 */
#ifndef CHAPTER_01_DIAGNOSIS_H
#define CHAPTER_01_DIAGNOSIS_H

#include "01-kvm-hello/host.h"
#include "01-kvm-hello/probe.h"

/* Where guests can run. The names are what "doctor --where" prints. */
enum where {
    WHERE_HOST,               /* "host": everything, Linux too */
    WHERE_HOST_CHAPTERS_ONLY, /* "host-chapters-only": software KVM; Linux in the lab */
    WHERE_LAB,                /* "lab": no usable KVM here */
};

enum verdict { VERDICT_OK, VERDICT_NOTE, VERDICT_PROBLEM };

struct finding {
    const char *subject; /* "/dev/kvm" */
    enum verdict verdict;
    char text[240];
    char remedy[160]; /* one command or one sentence; empty if none is needed */
};

#define FINDINGS_MAX 12u

struct diagnosis {
    enum where where;
    struct finding findings[FINDINGS_MAX];
    unsigned count;
};

/* probe may be NULL: there was no KVM to probe. */
void diagnose(struct diagnosis *diagnosis, const struct host *host, const struct probe *probe);

const char *where_name(enum where where);

#endif
