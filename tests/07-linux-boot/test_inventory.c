/*
 * test_inventory.c: command lines, and which devices and back ends they put into the
 * machine, or in which words they are refused. Nothing here needs a machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "07-linux-boot/inventory.h"
#include "common/bits.h"
#include "harness/harness.h"

#define WORDS_MAX 40

static struct inventory inventory;
static struct refusal why;

/* "vmm -kernel k" and the words of line, which single blanks separate. */
static int read_line(const char *line)
{
    static char words[2000];
    char *argv[WORDS_MAX] = {"vmm", "-kernel", "k"};
    static struct options options;
    int argc = 3, error;

    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        ck_assert_int_lt(argc, WORDS_MAX);
        argv[argc++] = word;
    }
    strcpy(why.text, "(accepted)");
    error = options_parse(&options, argc, argv, &why);
    return error < 0 ? error : inventory_read(&inventory, &options, &why);
}

START_TEST(devices_stand_in_the_order_that_the_guest_sees)
{
    static const struct {
        const char *line, *devices;
    } rows[] = {
        {"", ""},
        {"-device virtio-rng-pci", "virtio-rng"},
        {"-device virtio-rng", "virtio-rng"},
        {"-nic none", ""},
        {"-drive file=x", "virtio-blk"},
        {"-drive file=x,if=virtio,serial=s", "virtio-blk"},
        {"-device virtio-rng-pci,id=r -nic user -drive file=x", "virtio-blk virtio-net virtio-rng"},
        {"-device virtio-blk-pci,drive=d -drive file=x,if=none,id=d", "virtio-blk"},
        {"-device virtio-net-pci,netdev=n -netdev user,id=n", "virtio-net"},
        {"-drive if=none,id=b,file=x -drive if=none,id=a,file=y -device virtio-blk-pci,drive=a "
         "-device virtio-rng-pci -device virtio-blk-pci,drive=b",
         "virtio-blk virtio-rng virtio-blk"},
        {"-device virtio-balloon-pci", "virtio-balloon"},
        {"-device virtio-serial-pci -chardev null,id=c -device virtserialport,chardev=c,name=n",
         "virtio-serial virtserialport"},
        {"-device virtio-serial-pci,id=a -device virtio-serial,id=b -chardev null,id=c "
         "-device virtconsole,chardev=c,bus=b.0,nr=0",
         "virtio-serial virtio-serial virtconsole"},
        {"-M microvm -device virtio-rng-device -drive file=x", "virtio-blk virtio-rng"},
        {"-drive file=x,if=scsi -drive file=y,if=scsi,media=cdrom", "virtio-scsi scsi-hd scsi-cd"},
        {"-hda x -cdrom y", "virtio-scsi scsi-hd scsi-cd"},
        {"-device virtio-scsi-pci,id=a -device virtio-scsi,id=b -drive if=none,id=d,file=x "
         "-device scsi-hd,drive=d,bus=b.0,scsi-id=15,lun=255,serial=s -device scsi-cd",
         "virtio-scsi virtio-scsi scsi-hd scsi-cd"},
        {"-M microvm -device virtio-scsi-device -device scsi-cd", "virtio-scsi scsi-cd"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        char devices[200] = "";

        ck_assert_msg(read_line(rows[i].line) == 0, "%s: %s", rows[i].line, why.text);
        for (unsigned d = 0; d < inventory.devices.count; d++) {
            strcat(devices, d > 0 ? " " : "");
            strcat(devices, inventory.devices.list[d]->kind->name);
        }
        ck_assert_msg(strcmp(devices, rows[i].devices) == 0, "%s: %s", rows[i].line, devices);
        inventory_free(&inventory);
    }
}
END_TEST

START_TEST(what_does_not_fit_together_is_refused_by_name)
{
    static const struct {
        const char *line, *words;
    } rows[] = {
        /* names */
        {"-netdev user,id=n0", "-netdev id=n0: no device has netdev=n0"},
        {"-drive file=x,if=none,id=d0", "-drive id=d0: no device has drive=d0"},
        {"-drive file=x,if=none", "-drive file=x,if=none: has no id=: no device could name it"},
        {"-netdev user", "-netdev user: has no id="},
        {"-device virtio-blk-pci", "-device virtio-blk-pci: has no drive="},
        {"-device virtio-blk-pci,drive=", "has no drive="},
        {"-device virtio-net-pci,netdev=n0", "netdev=n0: no -netdev has that name"},
        {"-drive file=x,if=none,id=disk0 -device virtio-blk-pci,drive=dsk0",
         "drive=dsk0: no -drive has that name: did you mean disk0?"},
        {"-netdev user,id=net0 -device virtio-net-pci,netdev=net1", "did you mean net0?"},
        {"-drive file=x,id=d -drive file=y,id=d", "id=d: another drive has that name"},
        {"-netdev user,id=n -netdev user,id=n", "id=n: another network has that name"},
        {"-device virtio-rng-pci,id=r -device virtio-rng-pci,id=r",
         "id=r: another device has that name"},
        {"-drive file=x,id=d -device virtio-blk-pci,drive=d",
         "drive=d: another device is in front of it"},
        {"-netdev user,id=n -device virtio-net-pci,netdev=n -device virtio-net-pci,netdev=n",
         "netdev=n: another device is in front of it"},
        {"-drive file=x,id=7", "id=7: a name begins with a letter"},
        /* drives */
        {"-drive format=raw", "-drive format=raw: has no file="},
        {"-drive disk.img", "\"disk.img\" is not of the form key=value"},
        {"-drive file=x,if=ide", "if=ide,media=disk: there are if=virtio"},
        {"-drive file=x,media=cdrom", "if=virtio,media=cdrom: there are"},
        {"-drive file=x,format=vmdk", "format=vmdk: not one of raw|qcow2"},
        {"-drive file=x,readonly=yes", "readonly=yes: not one of on and off"},
        {"-drive file=x,werror=stop", "\"werror\" is no property here"},
        {"-drive file=x,fromat=raw", "did you mean format=?"},
        {"-drive file=x,serial=123456789012345678901", "longer than 20 bytes"},
        {"-drive file=x,if=none,id=d,serial=1", "\"serial\" is no property here"},
        {"-drive file=x,snapshot=on,cache=none", "cache=none: not with a snapshot"},
        {"-snapshot -drive file=x,cache=none", "cache=none: not with a snapshot"},
        {"-drive file=x,format=qcow2,cache=none", "cache=none: only with format=raw"},
        /* networks */
        {"-nic mac=52:54:00:00:00:01", "says no kind of network"},
        {"-nic vde", "\"vde\" is no kind of network: there are user, tap and dgram"},
        {"-nic tpa", "did you mean tap?"},
        {"-nic tap", "tap has no ifname="},
        {"-nic tap,ifname=", "tap has no ifname="},
        {"-nic tap,ifname=1234567890123456", "longer than 15 bytes"},
        {"-nic tap,ifname=t,vhost=on,queues=2", "vhost=on serves one pair of queues"},
        {"-nic tap,ifname=t,queues=9", "queues"},
        {"-nic tap,ifname=t,script=up.sh", "script=up.sh: no scripts are run"},
        {"-nic tap,ifname=t,local.str=3", "\"local.str\" is no property here"},
        {"-nic none,ifname=t", "none has no properties"},
        {"-nic user,ifname=tap0", "\"ifname\" is no property here"},
        {"-nic dgram", "dgram needs local.type=fd,local.str=NUMBER"},
        {"-nic dgram,local.str=3", "dgram needs local.type=fd"},
        {"-nic dgram,local.type=unix", "local.type=unix: not one of fd"},
        {"-nic dgram,local.type=fd,local.str=-1", "local.str=-1: not a number"},
        {"-nic dgram,local.type=fd,local.str=1", "local.str=1: not a number"},
        {"-nic dgram,local.type=fd,local.str=3x", "local.str=3x: not a number"},
        {"-nic user,mac=52:54:00:12:34", "not of the form"},
        {"-nic user,mac=52:54:00:12:34:5", "not of the form"},
        {"-nic user,mac=52:54:00:12:34:5g", "not of the form"},
        {"-nic user,mac=:::::::::::::::::", "not of the form"},
        {"-nic user,mac=53:54:00:12:34:56", "the address of a group"},
        {"-nic user,model=e1000", "model=e1000: not one of virtio and virtio-net-pci"},
        /* character back ends */
        {"-chardev null,id=c", "-chardev id=c: no device has chardev=c"},
        {"-chardev null", "has no id="},
        {"-chardev id=c", "says no kind: -chardev help lists them"},
        {"-chardev sokcet,id=c", "did you mean socket?"},
        {"-chardev spicevmc,id=c", "\"spicevmc\" is no character back end: there are stdio"},
        {"-chardev null,id=c -chardev null,id=c", "id=c: another -chardev has that name"},
        {"-chardev stdio,id=a -chardev stdio,id=b", "stdio is a already: one of them"},
        {"-chardev stdio,id=a -serial mon:stdio", "-serial mon:stdio: stdio is a already"},
        {"-serial stdio -serial stdio", "-serial stdio: stdio is serial0 already"},
        {"-chardev file,id=a", "has no path="},
        {"-chardev pipe,id=a", "has no path="},
        {"-chardev socket,id=a", "has no path=, nor port="},
        {"-chardev socket,id=a,path=p,port=1", "path= is of a UNIX socket"},
        {"-chardev socket,id=a,path=p,server=yes", "server=yes: not one of on and off"},
        {"-serial chardev:c", "-serial chardev:c: chardev=c: no -chardev has that name"},
        {"-serial chardev:c -serial chardev:c -chardev null,id=c", "another device is in front"},
        {"-serial tcp:4444", "-serial tcp:4444: not of the form tcp:HOST:PORT"},
        {"-serial file:", "has no path="},
        {"-serial nul", "did you mean null?"},
        {"-serial null -serial null -serial null -serial null -serial null", "this machine has 4"},
        {"-M microvm -serial null -serial null", "-serial null: this machine has 1"},
        {"-monitor stdio -serial stdio", "-serial stdio: stdio is monitor already"},
        {"-monitor chardev:m", "-monitor chardev:m: chardev=m: no -chardev has that name"},
        {"-S -serial null", "-S: there is neither monitor nor debugger"},
        {"-daemonize -serial stdio", "-daemonize: the terminal is not there any more for serial0"},
        /* ports */
        {"-device virtserialport", "has no chardev="},
        {"-chardev null,id=c -device virtserialport,chardev=c",
         "needs a virtio-serial-pci before it"},
        {"-chardev null,id=c -device virtio-rng-pci,id=r -device virtserialport,chardev=c,bus=r",
         "bus=r: no device before it offers"},
        {"-chardev null,id=c -device virtio-serial-pci -device virtserialport,chardev=c,nr=0",
         "nr=0: not a number from 1 to 7"},
        {"-chardev null,id=c -device virtio-serial-pci -device virtserialport,chardev=c,nme=n",
         "did you mean name=?"},
        /* disks on a SCSI bus */
        {"-device scsi-cd", "-device scsi-cd: needs a virtio-scsi-pci before it"},
        {"-device virtio-scsi-pci -device scsi-hd", "-device scsi-hd: has no drive="},
        {"-device virtio-scsi-pci,id=a -device scsi-cd,bus=b.0", "bus=b.0: no device before it"},
        {"-device virtio-scsi-pci -device scsi-cd,scsi-id=16", "not a number from 0 to 15"},
        {"-device virtio-scsi-pci -device scsi-cd,lun=256", "not a number from 0 to 255"},
        {"-device virtio-scsi-pci -device scsi-cd,sreial=x", "did you mean serial=?"},
        /* devices */
        {"-device virtio-gpu-gl-pci-ex", "\"virtio-gpu-gl-pci-ex\" is no device we have"},
        {"-device virtio-rgn-pci", "did you mean virtio-rng-pci?"},
        {"-device id=r", "names no device"},
        {"-device virtio-rng-pci,rng=r0", "\"rng\" is no property here"},
        {"-device virtio-rng-pci,nonsense", "\"nonsense\" is not of the form key=value"},
        {"-device virtio-rng-device", "this machine has PCI: its devices end in -pci"},
        {"-M microvm -device virtio-rng-pci", "this machine has no PCI"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        ck_assert_msg(read_line(rows[i].line) < 0, "%s was accepted", rows[i].line);
        ck_assert_msg(strstr(why.text, rows[i].words), "%s: %s", rows[i].line, why.text);
    }
}
END_TEST

/* Nobody writes to a disc, so its image may be somebody's who only lets us read it. */
START_TEST(a_disc_is_read_only)
{
    static const struct {
        const char *line;
        bool read_only;
    } rows[] = {
        {"-drive file=x,if=scsi,media=cdrom", true},
        {"-cdrom x", true},
        {"-drive if=none,id=d,file=x -device virtio-scsi -device scsi-cd,drive=d", true},
        {"-drive if=none,id=d,file=x -device virtio-scsi -device scsi-hd,drive=d", false},
        {"-hda x", false},
        {"-drive file=x,if=scsi,readonly=on", true},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        ck_assert_msg(read_line(rows[i].line) == 0, "%s: %s", rows[i].line, why.text);
        ck_assert_msg(inventory.drives.list[0]->read_only == rows[i].read_only, "%s", rows[i].line);
        inventory_free(&inventory);
    }
}
END_TEST

START_TEST(serial_ports_have_what_is_said_behind_them)
{
    static const struct {
        const char *line, *kinds; /* "-": no such port; "+": the monitor behind it */
    } rows[] = {
        {"", "stdio+"},
        {"-serial mon:stdio", "stdio+"},
        {"-serial stdio", "stdio"},
        {"-serial none", "-"},
        {"-serial null -serial file:x -serial pty -serial pipe:p", "null file pty pipe"},
        {"-serial none -serial mon:stdio", "- stdio+"},
        {"-monitor stdio", "null"},
        {"-daemonize", "null"},
        {"-monitor null -S", "stdio+"},
        {"-serial unix:/x,server=on,wait=off", "socket"},
        {"-serial unix:/x,server,nowait", "socket"},
        {"-serial tcp::4444,server=on", "socket"},
        {"-serial chardev:c -chardev socket,id=c,host=::1,port=http", "socket"},
        {"-chardev stdio,id=c -device virtio-serial -device virtconsole,chardev=c", "null"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        char kinds[100] = "";

        ck_assert_msg(read_line(rows[i].line) == 0, "%s: %s", rows[i].line, why.text);
        for (unsigned p = 0; p < inventory.serial_count; p++) {
            strcat(kinds, p > 0 ? " " : "");
            strcat(kinds, inventory.serial[p] ? inventory.serial[p]->kind->name : "-");
        }
        strcat(kinds, inventory.monitor_behind ? "+" : "");
        ck_assert_msg(strcmp(kinds, rows[i].kinds) == 0, "%s: %s", rows[i].line, kinds);
        inventory_free(&inventory);
    }
}
END_TEST

START_TEST(sockets_have_their_addresses)
{
    const struct char_end *end;

    ck_assert_int_eq(read_line("-serial tcp:::1:4444,server,nowait -serial unix:a,,b"), 0);
    end = inventory.serial[0];
    ck_assert_str_eq(end->host, "::1");
    ck_assert_str_eq(end->port, "4444");
    ck_assert(end->server && !end->wait);
    end = inventory.serial[1];
    ck_assert_str_eq(end->path, "a,b");
    ck_assert(!end->server && end->wait);
    inventory_free(&inventory);
    ck_assert_int_eq(read_line("-serial tcp:[fe80::1]:4444 -serial tcp:[:1 -serial tcp::1"), 0);
    ck_assert_str_eq(inventory.serial[0]->host, "fe80::1");
    ck_assert_str_eq(inventory.serial[1]->host, "[");
    ck_assert_str_eq(inventory.serial[2]->host, "");
    inventory_free(&inventory);
}
END_TEST

START_TEST(only_a_tcp_socket_needs_shared_libraries)
{
    ck_assert_int_eq(read_line("-serial tcp:localhost:4444"), 0);
    ck_assert(chardevs_have_tcp(&inventory.chardevs));
    inventory_free(&inventory);
    ck_assert_int_eq(read_line("-serial unix:a -serial stdio -monitor null"), 0);
    ck_assert(!chardevs_have_tcp(&inventory.chardevs));
    inventory_free(&inventory);
}
END_TEST

START_TEST(there_is_a_limit_to_everything)
{
    static const struct {
        const char *option;
        unsigned fits;
    } rows[] = {{"-device virtio-rng-pci", 32}, {"-nic user", 8}, {"-drive file=x", 16}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        char *argv[3 + 2 * 33] = {"vmm", "-kernel", "k"};
        char option[40], *value;
        struct options options;
        int argc = 3;

        strcpy(option, rows[i].option);
        value = strchr(option, ' ');
        *value++ = '\0';
        for (unsigned n = 0; n <= rows[i].fits; n++) {
            argv[argc++] = option;
            argv[argc++] = value;
        }
        if (options_parse(&options, argc, argv, &why) == 0)
            ck_assert_int_lt(inventory_read(&inventory, &options, &why), 0);
        ck_assert_int_eq(options_parse(&options, argc - 2, argv, &why), 0);
        ck_assert_msg(inventory_read(&inventory, &options, &why) == 0, "%s: %s", option, why.text);
        inventory_free(&inventory);
    }
}
END_TEST

/* Not one of them is opened, so any names will do. */
START_TEST(mangled_command_lines_are_read_or_refused)
{
    static const char *const lines[] = {
        "-drive file=x,if=none,id=d,format=qcow2,readonly=on -device virtio-blk-pci,drive=d",
        "-drive file=a,,b,serial=s,cache=none -snapshot -hda h -cdrom c -m 512M -smp 2,cores=2",
        "-netdev user,id=n,hostfwd=tcp::80-:80 -device virtio-net-pci,netdev=n,mac=52:54:00:1:2:3",
        "-nic tap,ifname=t -nic dgram,local.type=fd,local.str=9,mac=52:54:00:12:34:56 -cpu "
        "max,-avx",
        "-chardev socket,id=c,path=p,server,nowait -device virtio-serial -device "
        "virtserialport,chardev=c,name=a.b,nr=2 -monitor stdio -serial tcp:h:1,server=on",
    };
    static const char letters[] = ",,,===::+-.0129abcdefnoprstxyz/\\%\x80";
    char line[400];

    srand(1);
    for (unsigned i = 0; i < 20000; i++) {
        size_t length;

        strcpy(line, lines[i % ARRAY_SIZE(lines)]);
        length = strlen(line);
        for (int changes = rand() % 4; changes >= 0; changes--) {
            size_t at = (size_t)rand() % length;

            if (rand() % 3 == 0)
                memmove(line + at, line + at + 1, length-- - at);
            else
                line[at] = letters[(size_t)rand() % (sizeof letters - 1)];
        }
        why.text[0] = '\0';
        if (read_line(line) == 0)
            inventory_free(&inventory);
        else
            ck_assert_msg(why.text[0] && !strchr(why.text, '\n'), "%s: no reason", line);
    }
}
END_TEST

/* ---- back ends that the host refuses ---- */

static void expect_not_opened(const char *line, const char *words)
{
    ck_assert_msg(read_line(line) == 0, "%s: %s", line, why.text);
    ck_assert_msg(inventory_open(&inventory, NULL, &why) < 0, "%s was opened", line);
    ck_assert_msg(strstr(why.text, words), "%s: %s", line, why.text);
    inventory_free(&inventory);
}

START_TEST(what_the_host_refuses_is_named)
{
    expect_not_opened("-drive file=/dev/null/x", "-drive: /dev/null/x: cannot open: Not a dir");
    expect_not_opened("-drive file=/dev/null", "neither a regular file nor a block device");
    expect_not_opened("-drive file=/etc/hostname,format=qcow2,readonly=on", "/etc/hostname: ");
    expect_not_opened("-nic user,hostfwd=tcp:80", "-netdev user: hostfwd=tcp:80: not like");
    expect_not_opened("-nic user,hostfwd=tcp::0-:80", "not like tcp::8080-:80");
    expect_not_opened("-nic user,hostfwd=sctp::80-:80", "not like");
    expect_not_opened("-nic dgram,local.type=fd,local.str=65000", "not a socket of datagrams");
}
END_TEST

/* What the first drive reads at its beginning, and then writes there. */
static void read_then_write(char *word, const char *then)
{
    static _Alignas(4096) char block[4096];
    struct disk *disk = inventory.drives.list[0]->disk;
    struct iovec iov = {block, sizeof block};
    struct disk_request request = {
        .operation = DISK_READ, .size = sizeof block, .iov = &iov, .iov_count = 1};

    ck_assert_int_eq(disk->submit(disk->self, &request), 0);
    snprintf(word, 10, "%.9s", block);
    strcpy(block, then);
    request.operation = DISK_WRITE;
    ck_assert_int_eq(disk->submit(disk->self, &request), 0);
    request.operation = DISK_FLUSH;
    ck_assert_int_eq(disk->submit(disk->self, &request), 0);
}

START_TEST(a_snapshot_is_forgotten)
{
    static const struct {
        const char *options, *reads;
    } rows[] = {
        {"", "before"},          {",snapshot=on", "after"}, {",snapshot=on", "after"},
        {" -snapshot", "after"}, {" -snapshot", "after"},   {"", "after"},
    };
    char path[] = "/tmp/test_inventory.XXXXXX", line[100], word[10];
    static char image[65536] = "before";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, image, sizeof image), sizeof image);
    close(fd);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        snprintf(line, sizeof line, "-drive file=%s,format=raw%s", path, rows[i].options);
        ck_assert_msg(read_line(line) == 0, "%s: %s", line, why.text);
        ck_assert_msg(inventory_open(&inventory, NULL, &why) == 0, "%s", why.text);
        read_then_write(word, i == 0 ? "after" : "lost");
        ck_assert_msg(strcmp(word, rows[i].reads) == 0, "%s: \"%s\"", line, word);
        inventory_free(&inventory);
    }
    unlink(path);
}
END_TEST

START_TEST(a_stream_is_no_network_of_datagrams)
{
    char line[60];
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    snprintf(line, sizeof line, "-nic dgram,local.type=fd,local.str=%d", fds[0]);
    expect_not_opened(line, "not a socket of datagrams");
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* A raw disk belongs to the guest, which could make it look like another kind. */
START_TEST(a_qcow2_image_is_not_taken_for_a_raw_one_unasked)
{
    static char image[4096] = "QFI\xfb";
    char path[] = "/tmp/test_inventory.XXXXXX", line[80];
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, image, sizeof image), sizeof image);
    close(fd);
    snprintf(line, sizeof line, "-drive file=%s", path);
    expect_not_opened(line, "looks like a qcow2 image: say format=qcow2, or format=raw");
    snprintf(line, sizeof line, "-drive file=%s,cache=none", path);
    expect_not_opened(line, "looks like a qcow2 image");
    snprintf(line, sizeof line, "-drive file=%s,format=raw", path);
    ck_assert_int_eq(read_line(line), 0);
    ck_assert_msg(inventory_open(&inventory, NULL, &why) == 0, "%s", why.text);
    inventory_free(&inventory);
    unlink(path);
}
END_TEST

START_TEST(help_says_what_there_is)
{
    static const char *const words[] = {
        "virtio-blk-pci: ", "virtio-net-pci: ",   "virtio-rng-pci: ",
        "user: ",           "  ifname=INTERFACE", "  serial=TEXT"};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    devices_print(out);
    netdevs_print(out);
    ck_assert_int_eq(devices_print_one(out, "virtio-blk-pci", &why), 0);
    ck_assert_int_lt(devices_print_one(out, "ne2000", &why), 0);
    fclose(out);
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        ck_assert_msg(strstr(text, words[i]), "no \"%s\"", words[i]);
    free(text);
}
END_TEST

static Suite *inventory_suite(void)
{
    Suite *suite = suite_create("07 inventory");
    TCase *words = tcase_create("words");
    TCase *files = tcase_create("files");

    tcase_add_test(words, devices_stand_in_the_order_that_the_guest_sees);
    tcase_add_test(words, what_does_not_fit_together_is_refused_by_name);
    tcase_add_test(words, a_disc_is_read_only);
    tcase_add_test(words, serial_ports_have_what_is_said_behind_them);
    tcase_add_test(words, sockets_have_their_addresses);
    tcase_add_test(words, only_a_tcp_socket_needs_shared_libraries);
    tcase_add_test(words, there_is_a_limit_to_everything);
    tcase_add_test(words, mangled_command_lines_are_read_or_refused);
    tcase_add_test(words, help_says_what_there_is);
    tcase_add_test(files, what_the_host_refuses_is_named);
    tcase_add_test(files, a_snapshot_is_forgotten);
    tcase_add_test(files, a_stream_is_no_network_of_datagrams);
    tcase_add_test(files, a_qcow2_image_is_not_taken_for_a_raw_one_unasked);
    suite_add_tcase(suite, words);
    suite_add_tcase(suite, files);
    return suite;
}

int main(void)
{
    return harness_main(inventory_suite());
}
