/*
 * test_properties.c: what -drive, -nic and -device take and what they refuse, and qcow2
 * images as disks of a block device. Nothing here needs a machine: words are judged, and
 * images opened, before anything is plugged in.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "07-linux-boot/devices.h"
#include "07-linux-boot/drives.h"
#include "07-linux-boot/nics.h"
#include "07-linux-boot/properties.h"
#include "07-linux-boot/qcow2/create.h"
#include "common/bits.h"
#include "harness/harness.h"

/* Writes "key=value;" for each pair; refuses the key "bad". */
static int record(void *self, const char *key, const char *value, struct refusal *why)
{
    char *text = self;

    if (strcmp(key, "bad") == 0)
        return refuse(why, -ERANGE, "bad is bad");
    sprintf(text + strlen(text), "%s=%s;", key, value);
    return 0;
}

START_TEST(pairs_come_in_their_order_and_two_commas_are_one)
{
    static const struct {
        const char *text, *first, *pairs;
        int result;
    } rows[] = {
        {"a=1,b=2", NULL, "a=1;b=2;", 0},
        {"", NULL, "", 0},
        {"a=1,", NULL, "a=1;", 0},
        {"file=x,,y,a=", NULL, "file=x,y;a=;", 0},
        {"a=b=c", NULL, "a=b=c;", 0},
        {"tap,ifname=t", "type", "type=tap;ifname=t;", 0},
        {"type=tap", "type", "type=tap;", 0},
        {"tap,tap", "type", "type=tap;", -EINVAL},
        {"a", NULL, "", -EINVAL},
        {"a=1,bad=2,c=3", NULL, "a=1;", -ERANGE},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        char pairs[100] = "";
        struct refusal why;

        ck_assert_msg(properties_parse(rows[i].text, rows[i].first, record, pairs, &why) ==
                          rows[i].result,
                      "%s", rows[i].text);
        ck_assert_str_eq(pairs, rows[i].pairs);
    }
}
END_TEST

START_TEST(a_property_of_any_length_is_harmless)
{
    static char text[20000];
    char pairs[100] = "";
    struct refusal why;

    memset(text, ',', sizeof text - 1); /* pairs of them: one word of commas */
    ck_assert_int_eq(properties_parse(text, "type", record, pairs, &why), -EINVAL);
    ck_assert_str_eq(why.text, "a property is too long");
}
END_TEST

/* The drive, card or device is refused in these words. */
static void expect_refused(int result, const struct refusal *why, const char *text,
                           const char *words)
{
    ck_assert_msg(result < 0, "\"%s\" was accepted", text);
    ck_assert_msg(strstr(why->text, words), "\"%s\" gave \"%s\"", text, why->text);
}

START_TEST(drives_refuse_what_they_do_not_know)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "has no file="},
        {"format=raw", "has no file="},
        {"disk.img", "\"disk.img\" is not of the form key=value"},
        {"file=/dev/null/x", "/dev/null/x: cannot open: Not a directory"},
        {"file=/dev/null", "neither a regular file nor a block device"},
        {"file=/etc/hostname,format=qcow2,readonly=on", "/etc/hostname: "},
        {"file=x,if=ide", "if=ide: drives are virtio here"},
        {"file=x,format=vmdk", "format=vmdk: not one of qcow2 and raw"},
        {"file=x,readonly=yes", "readonly=yes: not one of on and off"},
        {"file=x,snapshot=on", "\"snapshot\" is no property of a drive"},
        {"file=x,serial=123456789012345678901", "longer than 20 bytes"},
        {"file=x,format=qcow2,cache=none", "cache=none: only with format=raw"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct drives drives = {.count = 0};
        struct refusal why;

        expect_refused(drives_add(&drives, rows[i].text, NULL, &why), &why, rows[i].text,
                       rows[i].words);
        ck_assert_uint_eq(drives.count, 0);
    }
}
END_TEST

START_TEST(cards_refuse_what_they_do_not_know)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "says no kind of network"},
        {"mac=52:54:00:00:00:01", "says no kind of network"},
        {"vde", "\"vde\" is no kind of network"},
        {"tap", "tap has no ifname="},
        {"tap,ifname=", "1 to 15 characters"},
        {"tap,ifname=1234567890123456", "1 to 15 characters"},
        {"tap,ifname=t,script=up.sh", "script=up.sh"},
        {"tap,ifname=t,local.str=3", "\"local.str\" is no property of this kind"},
        {"none,ifname=t", "\"ifname\" is no property of this kind"},
        {"user,hostfwd=tcp:80", "not like tcp::8080-:80"},
        {"user,hostfwd=tcp::0-:80", "not like"},
        {"user,hostfwd=sctp::80-:80", "not like"},
        {"user,ifname=tap0", "no property of this kind"},
        {"dgram", "dgram needs local.type=fd,local.str=NUMBER"},
        {"dgram,local.str=3", "dgram needs local.type=fd"},
        {"dgram,local.type=unix", "local.type=unix"},
        {"dgram,local.type=fd,local.str=-1", "not the number of a descriptor"},
        {"dgram,local.type=fd,local.str=3x", "not the number of a descriptor"},
        {"dgram,local.type=fd,local.str=65000", "not a socket of datagrams"},
        {"dgram,local.type=fd,local.str=1", "not a socket of datagrams"},
        {"none,mac=52:54:00:12:34", "not of the form"},
        {"none,mac=52:54:00:12:34:5", "not of the form"},
        {"none,mac=52:54:00:12:34:5g", "not of the form"},
        {"none,mac=:::::::::::::::::", "not of the form"},
        {"none,mac=53:54:00:12:34:56", "the address of a group"},
        {"none,model=e1000", "model=e1000"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct nics nics = {.count = 0};
        struct refusal why;

        expect_refused(nics_add(&nics, rows[i].text, NULL, &why), &why, rows[i].text,
                       rows[i].words);
        ck_assert_uint_eq(nics.count, 0);
    }
}
END_TEST

START_TEST(no_card_is_asked_for_by_none)
{
    struct nics nics = {.count = 0};
    struct refusal why;

    ck_assert_int_eq(nics_add(&nics, "none,mac=52:54:00:12:34:56", NULL, &why), 0);
    ck_assert_uint_eq(nics.count, 0);
}
END_TEST

START_TEST(a_stream_is_no_network_of_datagrams)
{
    struct nics nics = {.count = 0};
    struct refusal why;
    char text[60];
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    snprintf(text, sizeof text, "dgram,local.type=fd,local.str=%d", fds[0]);
    expect_refused(nics_add(&nics, text, NULL, &why), &why, text,
                   "not a socket of datagrams");
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(devices_refuse_what_they_do_not_know)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "names no device"},
        {"virtio-gpu-pci", "\"virtio-gpu-pci\" is no device we have: there is virtio-rng-pci"},
        {"virtio-rng-pci,rng=r0", "\"rng\" is no property of it"},
        {"virtio-rng-pci,nonsense", "not of the form key=value"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct plugged_devices devices = {.count = 0};
        struct refusal why;

        expect_refused(devices_add(&devices, rows[i].text, NULL, &why), &why, rows[i].text,
                       rows[i].words);
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

/* A raw disk belongs to the guest, which could make it look like another kind. */
START_TEST(a_qcow2_image_is_not_taken_for_a_raw_one_unasked)
{
    static const char *const how[] = {"", ",cache=none"};
    static char image[4096] = "QFI\xfb";
    struct drives drives = {.count = 0};
    struct refusal why;
    char text[100];

    make_file(image, sizeof image);
    for (unsigned i = 0; i < ARRAY_SIZE(how); i++) {
        snprintf(text, sizeof text, "file=%s%s", path, how[i]);
        expect_refused(drives_add(&drives, text, NULL, &why), &why, text,
                       "looks like a qcow2 image: say format=qcow2, or format=raw");
    }
    unlink(path);
}
END_TEST

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
    tcase_add_test(words, a_property_of_any_length_is_harmless);
    tcase_add_test(words, drives_refuse_what_they_do_not_know);
    tcase_add_test(words, cards_refuse_what_they_do_not_know);
    tcase_add_test(words, no_card_is_asked_for_by_none);
    tcase_add_test(words, a_stream_is_no_network_of_datagrams);
    tcase_add_test(words, devices_refuse_what_they_do_not_know);
    tcase_add_test(images, a_qcow2_image_is_not_taken_for_a_raw_one_unasked);
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
