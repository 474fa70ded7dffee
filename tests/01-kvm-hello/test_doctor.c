/* The doctor on computers we do not have. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "01-kvm-hello/diagnosis.h"
#include "common/bits.h"
#include "harness/harness.h"

static const struct probe whole_probe = {
    .step = PROBE_CMPXCHG16B, .instructions_per_second = 3e9, .last_exit = KVM_EXIT_HLT};
static const struct probe software_probe = {
    .step = PROBE_LOOP, .instructions_per_second = 2e6, .last_exit = KVM_EXIT_INTERNAL_ERROR};
static const struct probe crawling_probe = {
    .step = PROBE_CMPXCHG16B, .instructions_per_second = 2e6, .last_exit = KVM_EXIT_HLT};

static struct host healthy_host(void)
{
    return (struct host){.architecture = "x86_64",
                         .model = "A processor",
                         .vmx = true,
                         .paging = PAGING_TWO_DIMENSIONS,
                         .api_version = 12};
}

static const struct finding *find(const struct diagnosis *diagnosis, const char *subject)
{
    for (unsigned i = 0; i < diagnosis->count; i++)
        if (strcmp(diagnosis->findings[i].subject, subject) == 0)
            return &diagnosis->findings[i];
    ck_abort_msg("no finding about %s", subject);
    return NULL;
}

START_TEST(a_healthy_host_has_no_problem)
{
    struct host host = healthy_host();
    struct diagnosis diagnosis;

    diagnose(&diagnosis, &host, &whole_probe);
    ck_assert_str_eq(where_name(diagnosis.where), "host");
    for (unsigned i = 0; i < diagnosis.count; i++) {
        ck_assert_int_eq(diagnosis.findings[i].verdict, VERDICT_OK);
        ck_assert_str_eq(diagnosis.findings[i].remedy, "");
    }
}
END_TEST

START_TEST(where_follows_the_measurement_not_the_flags)
{
    struct host host = healthy_host();
    struct diagnosis diagnosis;

    diagnose(&diagnosis, &host, &software_probe);
    ck_assert_str_eq(where_name(diagnosis.where), "host-chapters-only");
    diagnose(&diagnosis, &host, &crawling_probe);
    ck_assert_str_eq(where_name(diagnosis.where), "host-chapters-only");
    diagnose(&diagnosis, &host, NULL);
    ck_assert_str_eq(where_name(diagnosis.where), "lab");
    diagnose(&diagnosis, &host, &(struct probe){.step = PROBE_NOTHING});
    ck_assert_str_eq(where_name(diagnosis.where), "lab");
}
END_TEST

START_TEST(each_trouble_has_its_remedy)
{
    static const struct {
        int open_error, create_error;
        bool vmx, svm;
        const char *remedy, *group;
    } rows[] = {
        {ENOENT, 0, true, false, "sudo modprobe kvm_intel", ""},
        {ENOENT, 0, false, true, "sudo modprobe kvm_amd", ""},
        {ENOENT, 0, false, false, "none without vmx or svm: use the lab", ""},
        {EACCES, 0, true, false, "sudo usermod -aG kvm $USER   (then log in again)", "kvm"},
        {EACCES, 0, true, false, "sudo chown $USER /dev/kvm   (until the next start)", ""},
        {0, EBUSY, true, false, "stop the other hypervisor (VirtualBox, VMware)", ""},
        {0, EIO, true, false, "look at 'dmesg | grep -i kvm'", ""},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct host host = healthy_host();
        struct diagnosis diagnosis;
        const struct finding *finding;

        host.open_error = rows[i].open_error;
        host.create_error = rows[i].create_error;
        host.vmx = rows[i].vmx;
        host.svm = rows[i].svm;
        strcpy(host.group, rows[i].group);
        diagnose(&diagnosis, &host, NULL);
        finding = find(&diagnosis, "/dev/kvm");
        ck_assert_int_eq(finding->verdict, VERDICT_PROBLEM);
        ck_assert_str_eq(finding->remedy, rows[i].remedy);
        ck_assert_str_eq(where_name(diagnosis.where), "lab");
    }
}
END_TEST

START_TEST(a_missing_capability_and_a_missing_tool_are_named)
{
    struct host host = healthy_host();
    struct diagnosis diagnosis;

    host.capabilities[host.capability_count++] = (struct host_capability){
        .name = "KVM_CAP_IRQFD", .needed_by = "chapters 4 to 7"};
    host.tools[host.tool_count++] = (struct host_tool){.name = "nasm", .needed_by = "building"};
    host.tools[host.tool_count++] = (struct host_tool){.name = "qemu-system-x86_64",
                                                       .needed_by = "the lab"};

    diagnose(&diagnosis, &host, &whole_probe);
    ck_assert_ptr_nonnull(strstr(find(&diagnosis, "capabilities")->text, "KVM_CAP_IRQFD"));
    ck_assert_str_eq(find(&diagnosis, "tools")->text, "missing: nasm (for building)");
    ck_assert_str_eq(find(&diagnosis, "tools")->remedy, "make deps");

    diagnose(&diagnosis, &host, &software_probe); /* now the lab is needed */
    ck_assert_ptr_nonnull(strstr(find(&diagnosis, "tools")->text, "qemu-system-x86_64"));
}
END_TEST

/* A made-up computer: only what host_inspect() looks at. */
static char root[] = "/tmp/ring-host-XXXXXX";

static void put(const char *path, const char *text)
{
    char command[512];
    FILE *file;

    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s%s')\"", root, path);
    ck_assert_int_eq(system(command), 0);
    snprintf(command, sizeof command, "%s%s", root, path);
    file = fopen(command, "we");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void remove_root(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
    strcpy(root + sizeof root - 7, "XXXXXX");
}

START_TEST(facts_come_from_proc_and_sys)
{
    struct host host;

    ck_assert_ptr_nonnull(mkdtemp(root));
    put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC\n"
                         "flags\t\t: fpu svm_lock svm hypervisor\n\nprocessor\t: 1\n"
                         "flags\t\t: vmx\n");
    put("/sys/module/kvm_amd/parameters/npt", "N\n");
    host_inspect(&host, root);
    ck_assert_str_eq(host.model, "AMD EPYC");
    ck_assert(host.svm && host.hypervisor && !host.vmx && !host.software_kvm);
    ck_assert_int_eq(host.paging, PAGING_ONE_DIMENSION);
    ck_assert_int_eq(host.open_error, ENOENT);
    put("/sys/module/kvm_amd/parameters/npt", "Y\n");
    host_inspect(&host, root);
    ck_assert_int_eq(host.paging, PAGING_TWO_DIMENSIONS);
    put("/sys/module/kvm_intel/parameters/ept", "1\n");
    host_inspect(&host, root);
    ck_assert_int_eq(host.paging, PAGING_TWO_DIMENSIONS);
    remove_root();
}
END_TEST

START_TEST(the_group_is_one_that_may_read_and_write)
{
    gid_t own = getgid() ? getgid() : 1; /* root's would be nobody's to join */
    const struct group *group = getgrgid(own);
    struct host host;
    char path[64];

    ck_assert_ptr_nonnull(mkdtemp(root));
    put("/dev/kvm", "no device");
    snprintf(path, sizeof path, "%s/dev/kvm", root);
    ck_assert_int_eq(chown(path, (uid_t)-1, own), 0);
    ck_assert_int_eq(chmod(path, 0660), 0);
    host_inspect(&host, root);
    ck_assert_str_eq(host.group, group ? group->gr_name : "");
    ck_assert_int_eq(chmod(path, 0640), 0);
    host_inspect(&host, root);
    ck_assert_str_eq(host.group, "");
    remove_root();
}
END_TEST

START_TEST(a_flag_is_a_whole_word)
{
    struct host host;

    ck_assert_ptr_nonnull(mkdtemp(root));
    put("/proc/cpuinfo", "flags\t\t: svm_lock vmxfoo xvmx\n");
    host_inspect(&host, root);
    ck_assert(!host.svm && !host.vmx);
    remove_root();
}
END_TEST

START_TEST(something_else_called_dev_kvm_is_a_problem)
{
    struct host host;

    ck_assert_ptr_nonnull(mkdtemp(root));
    put("/dev/kvm", "no device");
    host_inspect(&host, root);
    ck_assert_int_eq(host.open_error, ENOTTY);
    remove_root();
}
END_TEST

START_TEST(one_may_say_where_a_program_runs)
{
    const char *here[] = {"env", "KVM=host", "common/with-kvm", "echo", "here", NULL};
    const char *nowhere[] = {"env", "KVM=moon", "common/with-kvm", "echo", "there", NULL};
    struct program ran = program_run(here, NULL, 10);

    ck_assert_str_eq(ran.out, "here\n");
    program_free(&ran);
    ran = program_run(nowhere, NULL, 10);
    ck_assert_int_eq(ran.status, 1);
    ck_assert_str_eq(ran.out, "");
    ck_assert_str_eq(ran.err, "with-kvm: KVM=moon: say host or lab\n");
    program_free(&ran);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("doctor");
    TCase *tests = tcase_create("diagnosis");

    tcase_add_test(tests, a_healthy_host_has_no_problem);
    tcase_add_test(tests, where_follows_the_measurement_not_the_flags);
    tcase_add_test(tests, each_trouble_has_its_remedy);
    tcase_add_test(tests, a_missing_capability_and_a_missing_tool_are_named);
    tcase_add_test(tests, facts_come_from_proc_and_sys);
    tcase_add_test(tests, the_group_is_one_that_may_read_and_write);
    tcase_add_test(tests, a_flag_is_a_whole_word);
    tcase_add_test(tests, something_else_called_dev_kvm_is_a_problem);
    tcase_add_test(tests, one_may_say_where_a_program_runs);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
