/*
 * test_properties.c: "key=value,..." by tables of properties; and qcow2 images as disks of
 * a block device.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/properties.h"
#include "07-linux-boot/qcow2/create.h"
#include "07-linux-boot/qcow2/disk.h"
#include "common/bits.h"
#include "harness/harness.h"

START_TEST(pairs_come_in_their_order_and_two_commas_are_one)
{
    static const struct {
        const char *text, *first, *pairs;
    } rows[] = {
        {"a=1,b=2", NULL, "a=1;b=2;"},
        {"", NULL, ""},
        {"a=1,", NULL, "a=1;"},
        {"file=x,,y,a=", NULL, "file=x,y;a=;"},
        {"file=x,,,,y,,", NULL, "file=x,,y,;"},
        {"a=b=c", NULL, "a=b=c;"},
        {"tap,ifname=t", "type", "type=tap;ifname=t;"},
        {"type=tap", "type", "type=tap;"},
        {"tap,tap", "type", "type=tap;tap=(null);"},
        {"server,nowait", NULL, "server=(null);nowait=(null);"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        char pairs[100] = "";
        struct properties given;
        struct refusal why;

        ck_assert_int_eq(properties_read(&given, rows[i].text, rows[i].first, &why), 0);
        for (unsigned pair = 0; pair < given.count; pair++) {
            const char *value = given.pairs[pair].value;

            sprintf(pairs + strlen(pairs), "%s=%s;", given.pairs[pair].key,
                    value ? value : "(null)");
        }
        ck_assert_str_eq(pairs, rows[i].pairs);
        properties_free(&given);
    }
}
END_TEST

START_TEST(more_properties_than_any_thing_has_are_refused)
{
    char text[2 * PROPERTIES_MAX + 3] = "";
    struct properties given;
    struct refusal why;

    for (unsigned i = 0; i <= PROPERTIES_MAX; i++)
        strcat(text, "a,");
    ck_assert_int_eq(properties_read(&given, text, NULL, &why), -EINVAL);
    ck_assert_str_eq(why.text, "more than 32 properties");
}
END_TEST

struct thing {
    char text[4], name[8];
    bool quick, slow;
    unsigned number, kind;
};

static const struct property thing_rows[] = {
    {"text", property_text, AT(struct thing, text), .form = "TEXT"},
    {"name", property_id, AT(struct thing, name), .form = "NAME"},
    {"quick", property_switch, AT(struct thing, quick), .form = "on|off"},
    {"slow", property_switch, AT(struct thing, slow), .form = "on|off"},
    {"number", property_number, AT(struct thing, number), .form = "N", .min = 2, .max = 70},
    {"kind", property_word, AT(struct thing, kind), .form = "raw|qcow2"},
    {.name = NULL},
};

static int apply(struct thing *thing, const char *text, struct refusal *why)
{
    struct properties given;
    int error = properties_read(&given, text, NULL, why);

    *thing = (struct thing){.slow = true};
    if (error < 0)
        return error;
    error = properties_apply(&given, thing_rows, thing, why);
    properties_free(&given);
    return error;
}

START_TEST(values_go_where_their_rows_say)
{
    struct refusal why;
    struct thing thing;

    ck_assert_int_eq(apply(&thing, "text=abc,name=a-b.c_9,quick,noslow,number=70,kind=qcow2", &why),
                     0);
    ck_assert_str_eq(thing.text, "abc");
    ck_assert_str_eq(thing.name, "a-b.c_9");
    ck_assert(thing.quick && !thing.slow);
    ck_assert_uint_eq(thing.number, 70);
    ck_assert_uint_eq(thing.kind, 2);
    ck_assert_int_eq(apply(&thing, "kind=raw,slow=on,quick=off", &why), 0);
    ck_assert_uint_eq(thing.kind, 1);
    ck_assert(thing.slow && !thing.quick);
}
END_TEST

START_TEST(wrong_values_are_refused_by_name)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"text=abcd", "text=abcd: longer than 3 bytes"},
        {"name=9", "name=9: a name begins with a letter"},
        {"name=", "name=: a name begins with a letter"},
        {"name=a b", "name=a b: a name has letters, digits, '-', '.' and '_'"},
        {"name=abcdefgh", "longer than 7 bytes"},
        {"quick=yes", "quick=yes: not one of on and off"},
        {"number=1", "number=1: not a number from 2 to 70"},
        {"number=71", "not a number"},
        {"number=", "not a number"},
        {"number=-3", "not a number"},
        {"number= 3", "not a number"},
        {"number=3x", "not a number"},
        {"number=99999999999999999999", "not a number"},
        {"kind=vmdk", "kind=vmdk: not one of raw|qcow2"},
        {"kind=", "kind=: not one of raw|qcow2"},
        {"kind=qcow", "not one of"},
        {"kind=raw|qcow2", "not one of"},
        {"text=a,text=b", "text= is given twice"},
        {"quick,quick=off", "quick= is given twice"},
        {"txt=a", "\"txt\" is no property here: did you mean text=?"},
        {"wholly=other", "\"wholly\" is no property here"},
        {"text", "\"text\" is no property here: did you mean text=?"},
        {"nonumber", "did you mean number=?"},
        {"disk.img", "\"disk.img\" is not of the form key=value"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct refusal why = {"(accepted)"};
        struct thing thing;

        ck_assert_msg(apply(&thing, rows[i].text, &why) < 0, "%s was accepted", rows[i].text);
        ck_assert_msg(strstr(why.text, rows[i].words), "%s: %s", rows[i].text, why.text);
    }
}
END_TEST

static char path[] = "/tmp/test_properties.XXXXXX";

static void make_file(const void *bytes, size_t size)
{
    int fd;

    strcpy(path, "/tmp/test_properties.XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

static int submit(struct disk *disk, enum disk_operation operation, uint64_t offset, uint64_t size,
                  const struct iovec *iov, unsigned count)
{
    struct disk_request request = {
        .operation = operation, .offset = offset, .size = size, .iov = iov, .iov_count = count};

    return disk->submit(disk->self, &request);
}

static void make_qcow2(uint64_t size)
{
    struct qcow2_recipe recipe = {.size = size, .cluster_bits = 16};
    struct refusal why;

    make_file("", 0);
    unlink(path); /* it is to make the file itself */
    ck_assert_msg(qcow2_create(path, &recipe, &why) == 0, "%s", why.text);
}

START_TEST(a_qcow2_disk_keeps_scattered_bytes)
{
    static char written[3 * 512], head[100], tail[3 * 512 - 100];
    struct iovec from = {written, sizeof written};
    struct iovec to[] = {{head, sizeof head}, {tail, sizeof tail}};
    struct qcow2_disk d;
    struct refusal why;

    for (unsigned i = 0; i < sizeof written; i++)
        written[i] = (char)(i * 7);
    make_qcow2(1 << 20);
    ck_assert_int_eq(qcow2_disk_open(&d, path, false, &why), 0);
    ck_assert_uint_eq(d.disk.size, 1 << 20);
    /* Across a cluster's end, 64 KiB. */
    ck_assert_int_eq(submit(&d.disk, DISK_WRITE, 65024, sizeof written, &from, 1), 0);
    ck_assert_int_eq(submit(&d.disk, DISK_FLUSH, 0, 0, NULL, 0), 0);
    ck_assert_int_eq(qcow2_disk_close(&d), 0);

    ck_assert_int_eq(qcow2_disk_open(&d, path, true, &why), 0);
    ck_assert(d.disk.read_only && !d.disk.can_discard);
    ck_assert_int_eq(submit(&d.disk, DISK_READ, 65024, sizeof written, to, 2), 0);
    ck_assert_mem_eq(head, written, sizeof head);
    ck_assert_mem_eq(tail, written + sizeof head, sizeof tail);
    ck_assert_int_eq(submit(&d.disk, DISK_WRITE, 0, sizeof written, &from, 1), -EROFS);
    ck_assert_int_eq(submit(&d.disk, DISK_FLUSH, 0, 0, NULL, 0), 0);
    ck_assert_int_eq(qcow2_disk_close(&d), 0);
    unlink(path);
}
END_TEST

START_TEST(a_qcow2_disk_forgets_what_it_is_told_to)
{
    static char ones[65536], back[65536], zeros[65536];
    struct iovec from = {ones, sizeof ones}, to = {back, sizeof back};
    static const enum disk_operation ways[] = {DISK_ZERO, DISK_DISCARD};
    struct qcow2_disk d;
    struct refusal why;

    memset(ones, 1, sizeof ones);
    make_qcow2(1 << 20);
    ck_assert_int_eq(qcow2_disk_open(&d, path, false, &why), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        ck_assert_int_eq(submit(&d.disk, DISK_WRITE, 65536, sizeof ones, &from, 1), 0);
        ck_assert_int_eq(submit(&d.disk, ways[i], 65536, sizeof ones, NULL, 0), 0);
        memset(back, 2, sizeof back);
        ck_assert_int_eq(submit(&d.disk, DISK_READ, 65536, sizeof back, &to, 1), 0);
        ck_assert_mem_eq(back, zeros, sizeof back);
    }
    ck_assert_int_eq(qcow2_disk_close(&d), 0);
    unlink(path);
}
END_TEST

START_TEST(a_disk_without_a_sector_is_refused)
{
    struct qcow2_disk d;
    struct refusal why;

    make_qcow2(0);
    ck_assert_int_eq(qcow2_disk_open(&d, path, false, &why), -EINVAL);
    ck_assert_str_eq(why.text, "has not one sector of 512 bytes");
    unlink(path);
}
END_TEST

static Suite *properties_suite(void)
{
    Suite *suite = suite_create("07 properties");
    TCase *words = tcase_create("words");
    TCase *images = tcase_create("images");

    tcase_add_test(words, pairs_come_in_their_order_and_two_commas_are_one);
    tcase_add_test(words, more_properties_than_any_thing_has_are_refused);
    tcase_add_test(words, values_go_where_their_rows_say);
    tcase_add_test(words, wrong_values_are_refused_by_name);
    tcase_add_test(images, a_qcow2_disk_keeps_scattered_bytes);
    tcase_add_test(images, a_qcow2_disk_forgets_what_it_is_told_to);
    tcase_add_test(images, a_disk_without_a_sector_is_refused);
    suite_add_tcase(suite, words);
    suite_add_tcase(suite, images);
    return suite;
}

int main(void)
{
    return harness_main(properties_suite());
}
