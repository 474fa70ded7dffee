/*
 * doctor.c: the program that looks before anyone else does.
 *
 * Says what this computer can run, what is missing, and the one command that mends
 * it: as a table for people, as JSON for programs (--json), or as one word for
 * scripts (--where). It changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "01-kvm-hello/diagnosis.h"
#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/host.h"
#include "01-kvm-hello/probe.h"
#include "common/die.h"

#define PROBE_SECONDS 4u

static const char *const verdict_words[] = {"ok", "note", "PROBLEM"};
static const char *const verdict_json[] = {"ok", "note", "problem"};

static void print_help(void)
{
    printf("usage: doctor [--json | --where]\n"
           "\n"
           "Says what this computer can run and what is missing.\n"
           "\n"
           "  --where  one word: host (everything runs on /dev/kvm),\n"
           "           host-chapters-only (software KVM: Linux goes to the lab),\n"
           "           lab (no usable /dev/kvm)\n"
           "  --json   the whole report as JSON\n"
           "\n"
           "exit status: 0, or 1 when a finding is a problem (--where: always 0)\n");
}

static const char *conclusion(enum where where)
{
    switch (where) {
    case WHERE_HOST: return "Everything runs on this computer's KVM.";
    case WHERE_HOST_CHAPTERS_ONLY:
        return "The small guests of chapters 1 to 5 run on this computer's KVM; Linux boots in "
               "the lab.";
    default: return "No usable KVM here: everything runs in the lab.";
    }
}

static void print_table(const struct diagnosis *diagnosis)
{
    for (unsigned i = 0; i < diagnosis->count; i++) {
        const struct finding *finding = &diagnosis->findings[i];

        printf("  %-7s  %-15s %s\n", verdict_words[finding->verdict], finding->subject,
               finding->text);
        if (finding->remedy[0])
            printf("  %-7s  %-15s -> %s\n", "", "", finding->remedy);
    }
    printf("\n%s\n", conclusion(diagnosis->where));
}

/* A JSON string [RFC 8259, 7 "Strings"]; our texts are UTF-8 already. */
static void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_json(const struct diagnosis *diagnosis, const struct host *host,
                       const struct probe *probe)
{
    printf("{\n  \"where\": \"%s\",\n  \"findings\": [", where_name(diagnosis->where));
    for (unsigned i = 0; i < diagnosis->count; i++) {
        const struct finding *finding = &diagnosis->findings[i];

        printf("%s\n    {\"subject\": ", i ? "," : "");
        print_json_string(finding->subject);
        printf(", \"verdict\": \"%s\", \"text\": ", verdict_json[finding->verdict]);
        print_json_string(finding->text);
        printf(", \"remedy\": ");
        print_json_string(finding->remedy);
        printf("}");
    }
    printf("\n  ],\n  \"capabilities\": {");
    for (unsigned i = 0; i < host->capability_count; i++)
        printf("%s\"%s\": %d", i ? ", " : "", host->capabilities[i].name,
               host->capabilities[i].value);
    printf("},\n  \"probe\": ");
    if (probe)
        printf("{\"step\": %d, \"instructions_per_second\": %.0f, \"last_exit\": \"%s\"}",
               probe->step, probe->instructions_per_second, exit_name(probe->last_exit));
    else
        printf("null");
    printf("\n}\n");
}

int main(int argc, char **argv)
{
    const char *option = argc > 1 ? argv[1] : "";
    struct diagnosis diagnosis;
    struct probe probe;
    struct host host;
    bool probed;

    if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
        print_help();
        return 0;
    }
    if (argc > 2 || (argc == 2 && strcmp(option, "--json") != 0 && strcmp(option, "--where") != 0))
        die("unknown argument \"%s\"; 'doctor --help' lists what there is", argv[argc - 1]);

    host_inspect(&host, "");
    probed = !host.open_error && !host.create_error && probe_run(&probe, PROBE_SECONDS) == 0;
    diagnose(&diagnosis, &host, probed ? &probe : NULL);

    if (strcmp(option, "--where") == 0) {
        puts(where_name(diagnosis.where));
        return 0;
    }
    if (strcmp(option, "--json") == 0)
        print_json(&diagnosis, &host, probed ? &probe : NULL);
    else
        print_table(&diagnosis);
    for (unsigned i = 0; i < diagnosis.count; i++)
        if (diagnosis.findings[i].verdict == VERDICT_PROBLEM)
            return 1;
    return 0;
}
