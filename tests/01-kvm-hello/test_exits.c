/* Every exit reason has words; none is silent. */
#define _GNU_SOURCE
#include "01-kvm-hello/exits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bits.h"
#include "harness/harness.h"

/* What exit_explain() says of run, in a buffer to free(). */
static char *words_for(const struct kvm_run *run)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    exit_explain(out, run);
    fclose(out);
    return text;
}

START_TEST(each_reason_is_explained)
{
    static const struct {
        struct kvm_run run;
        const char *says;
    } rows[] = {
        {{.exit_reason = KVM_EXIT_UNKNOWN, .hw.hardware_exit_reason = 0x77}, "0x77"},
        {{.exit_reason = KVM_EXIT_IO,
          .io = {.direction = KVM_EXIT_IO_OUT, .size = 1, .count = 1, .port = 0x80}},
         "wrote 1 x 1 byte to port 0x80"},
        {{.exit_reason = KVM_EXIT_IO,
          .io = {.direction = KVM_EXIT_IO_IN, .size = 4, .count = 3, .port = 0xcfc}},
         "read 3 x 4 bytes from port 0xcfc"},
        {{.exit_reason = KVM_EXIT_HLT}, "KVM_EXIT_HLT (5)"},
        {{.exit_reason = KVM_EXIT_MMIO, .mmio = {.phys_addr = 0xfee00000, .len = 4}},
         "read 4 bytes from 0xfee00000"},
        {{.exit_reason = KVM_EXIT_MMIO, .mmio = {.phys_addr = 16, .len = 1, .is_write = 1}},
         "wrote 1 byte to 0x10"},
        {{.exit_reason = KVM_EXIT_SHUTDOWN}, "triple fault"},
        {{.exit_reason = KVM_EXIT_FAIL_ENTRY,
          .fail_entry.hardware_entry_failure_reason = 0x80000021},
         "hardware reason 0x80000021"},
        {{.exit_reason = KVM_EXIT_INTERNAL_ERROR, .internal.suberror = 1}, "cannot emulate"},
        {{.exit_reason = KVM_EXIT_INTERNAL_ERROR, .internal.suberror = 2}, "two exceptions"},
        {{.exit_reason = KVM_EXIT_INTERNAL_ERROR, .internal.suberror = 99}, "suberror 99"},
        {{.exit_reason = KVM_EXIT_SYSTEM_EVENT, .system_event.type = 2}, "event type 2"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        char *text = words_for(&rows[i].run);

        ck_assert_msg(strstr(text, rows[i].says), "row %u: no \"%s\" in \"%s\"", i, rows[i].says,
                      text);
        ck_assert_msg(strstr(text, "likely cause: "), "row %u: no cause in \"%s\"", i, text);
        free(text);
    }
}
END_TEST

START_TEST(reasons_of_the_future_are_not_silent)
{
    struct kvm_run run = {0};

    for (uint32_t reason = 0; reason < 300; reason++) {
        char number[16], *text;

        run.exit_reason = reason;
        snprintf(number, sizeof number, "(%u)", reason);
        text = words_for(&run);
        ck_assert_msg(strstr(text, number), "\"%s\"", text);
        ck_assert_ptr_nonnull(exit_name(reason));
        free(text);
    }
    ck_assert_str_eq(exit_name(UINT32_MAX), "an unknown exit");
    ck_assert_str_eq(exit_name(KVM_EXIT_SHUTDOWN), "KVM_EXIT_SHUTDOWN");
}
END_TEST

START_TEST(registers_are_printed_in_full)
{
    struct kvm_regs regs = {.rip = 0x1234, .r15 = UINT64_MAX};
    struct kvm_sregs sregs = {.cr0 = 0x60000010, .cs = {.selector = 0xf000, .base = 0xffff0000}};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    registers_print(out, &regs, &sregs);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "rip=0x0000000000001234"));
    ck_assert_ptr_nonnull(strstr(text, "r15=0xffffffffffffffff"));
    ck_assert_ptr_nonnull(strstr(text, "cr0=0x60000010"));
    ck_assert_ptr_nonnull(strstr(text, "cs=f000@ffff0000"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exits in words");
    TCase *tests = tcase_create("exits");

    tcase_add_test(tests, each_reason_is_explained);
    tcase_add_test(tests, reasons_of_the_future_are_not_silent);
    tcase_add_test(tests, registers_are_printed_in_full);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
