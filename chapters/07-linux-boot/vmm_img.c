/*
 * vmm_img.c: vmm-img makes, describes, checks and copies disk images. Its commands and
 * letters are qemu-img's, so that what one knows carries over:
 *
 *     vmm-img create -f FORMAT [-b FILE -F FORMAT] [-o OPTIONS] FILE [SIZE]
 *     vmm-img info [-f FORMAT] [--output=json] FILE
 *     vmm-img check [-r leaks|all] [--output=json] FILE     0 good, 2 corrupt, 3 leaks
 *     vmm-img convert [-c] [-p] [-f FORMAT] -O FORMAT [-o OPTIONS] FROM TO
 *     vmm-img compare [-f FORMAT] [-F FORMAT] [-s] FILE FILE
 *     vmm-img commit FILE                                   into the file underneath
 *     vmm-img resize [-f FORMAT] [--shrink] FILE [+|-]SIZE
 *
 * Left out on purpose: snapshots inside an image, rebasing, and making a qcow2 disk
 * smaller. A format is never guessed from a file's content, which is the guest's.
 * What qemu-img would overwrite (an existing file) is refused here.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/img/img.h"
#include "07-linux-boot/qcow2/check.h"
#include "common/bits.h"
#include "common/die.h"

enum { STATUS_CORRUPT = 2, STATUS_LEAKS = 3 }; /* as qemu-img's */

/* ---- create ---- */

static uint64_t backing_size(const char *image, const char *name, const char *format)
{
    const char *slash = strrchr(image, '/');
    char path[4096];
    struct img_disk disk;

    if (name[0] == '/' || !slash)
        snprintf(path, sizeof path, "%s", name);
    else
        snprintf(path, sizeof path, "%.*s/%s", (int)(slash - image), image, name);
    img_open(&disk, path, format);
    img_close(&disk);
    return align_up(disk.size, 512);
}

static int create(int argc, char **argv)
{
    struct qcow2_recipe recipe = {0};
    const char *format = "raw", *path;
    struct refusal why;
    int option;

    while ((option = getopt(argc, argv, "f:b:F:o:q")) != -1) {
        switch (option) {
        case 'f': format = optarg; break;
        case 'b': recipe.backing = optarg; break;
        case 'F': recipe.backing_format = optarg; break;
        case 'o': img_options(optarg, &recipe); break;
        case 'q': break;
        default: return EXIT_FAILURE;
        }
    }
    if (argc - optind < 1 || argc - optind > 2)
        die("create: say a file name and a size");
    path = argv[optind];
    if (recipe.backing && !recipe.backing_format)
        die("-b %s: say its format with -F raw or -F qcow2; it is never guessed", recipe.backing);
    if (argc - optind == 2)
        recipe.size = img_size(argv[optind + 1]);
    else if (recipe.backing)
        recipe.size = backing_size(path, recipe.backing, recipe.backing_format);
    else
        die("create: say a size");
    if (recipe.backing)
        backing_size(path, recipe.backing, recipe.backing_format); /* is it there? */

    if (strcmp(format, "raw") == 0 && !recipe.backing)
        img_make_raw(path, recipe.size);
    else if (strcmp(format, "qcow2") != 0)
        die("-f %s: %s", format,
            recipe.backing ? "only qcow2 stands on another file" : "raw and qcow2 are supported");
    else if (qcow2_create(path, &recipe, &why) < 0)
        die("%s: %s", path, why.text);
    return EXIT_SUCCESS;
}

/* ---- check, resize, commit ---- */

static void check_for_scripts(const char *path, const struct qcow2_check *result)
{
    printf("{\n    \"format\": \"qcow2\"");
    img_json_string("filename", path);
    printf(",\n    \"check-errors\": 0,\n    \"corruptions\": %" PRIu64 ",\n    \"leaks\": %" PRIu64
           ",\n    \"allocated-clusters\": %" PRIu64 ",\n    \"total-clusters\": %" PRIu64
           ",\n    \"compressed-clusters\": %" PRIu64 "\n}\n",
           result->corruptions, result->leaks, result->data, result->clusters, result->compressed);
}

static void check_for_people(const struct qcow2_check *result)
{
    if (result->corruptions + result->leaks == 0)
        printf("No errors were found on the image.\n");
    else
        printf("%" PRIu64 " errors, %" PRIu64 " leaked clusters\n", result->corruptions,
               result->leaks);
    printf("%" PRIu64 "/%" PRIu64 " clusters allocated, %" PRIu64 " compressed\n", result->data,
           result->clusters, result->compressed);
}

static int check(int argc, char **argv)
{
    static const struct option words[] = {{"output", required_argument, NULL, 'J'}, {0}};
    enum qcow2_repair repair = QCOW2_REPAIR_NONE;
    struct qcow2_check result;
    struct refusal why;
    bool json = false, quiet = false;
    int option;

    while ((option = getopt_long(argc, argv, "r:f:q", words, NULL)) != -1) {
        switch (option) {
        case 'r':
            if (strcmp(optarg, "all") != 0 && strcmp(optarg, "leaks") != 0)
                die("check: -r takes leaks or all");
            repair = strcmp(optarg, "all") == 0 ? QCOW2_REPAIR_ALL : QCOW2_REPAIR_LEAKS;
            break;
        case 'f':
            if (strcmp(optarg, "qcow2") != 0)
                die("check -f %s: only qcow2 has anything to check", optarg);
            break;
        case 'J': json = img_json(optarg); break;
        case 'q': quiet = true; break;
        default: return EXIT_FAILURE;
        }
    }
    if (argc - optind != 1)
        die("check: say a file name");
    if (qcow2_check(argv[optind], repair, json ? stderr : quiet ? NULL : stdout, &result, &why) < 0)
        die("%s: %s", argv[optind], why.text);
    if (json)
        check_for_scripts(argv[optind], &result);
    else if (!quiet)
        check_for_people(&result);
    return result.corruptions ? STATUS_CORRUPT : result.leaks ? STATUS_LEAKS : EXIT_SUCCESS;
}

/* "+1G" and "-1G" start from the size that is. */
static uint64_t new_size(const char *text, uint64_t old)
{
    uint64_t change = img_size(text + (*text == '+' || *text == '-'));

    if (*text == '-' && change > old)
        die("resize %s: the disk has %" PRIu64 " bytes", text, old);
    return *text == '+' ? old + change : *text == '-' ? old - change : change;
}

static int resize_qcow2(const char *path, const char *size)
{
    struct qcow2 *image;
    struct refusal why;

    if (qcow2_open(&image, path, true, &why) < 0)
        die("%s: %s", path, why.text);
    if (qcow2_resize(image, new_size(size, qcow2_size(image)), &why) < 0) {
        qcow2_close(image);
        die("%s: %s", path, why.text);
    }
    return qcow2_close(image) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int resize_raw(const char *path, const char *size, bool shrink)
{
    struct img_disk disk;
    uint64_t wanted;

    img_open(&disk, path, "raw"); /* a regular file */
    wanted = new_size(size, disk.size);
    if (wanted < disk.size && !shrink)
        die("%s: %" PRIu64 " bytes would be lost for ever; say --shrink to mean it", path,
            disk.size - wanted);
    if (truncate(path, (off_t)wanted) < 0)
        die("%s: cannot resize: %s", path, strerror(errno));
    img_close(&disk);
    return EXIT_SUCCESS;
}

static int resize(int argc, char **argv)
{
    static const struct option words[] = {{"shrink", no_argument, NULL, 'S'}, {0}};
    const char *format = "qcow2";
    bool shrink = false;
    int option;

    /* '+': "-1G" after the file's name is a size. */
    while ((option = getopt_long(argc, argv, "+f:q", words, NULL)) != -1) {
        switch (option) {
        case 'f': format = optarg; break;
        case 'S': shrink = true; break;
        case 'q': break; /* nothing is said anyway */
        default: return EXIT_FAILURE;
        }
    }
    if (argc - optind != 2)
        die("resize: say a file name and a size");
    if (strcmp(format, "raw") == 0)
        return resize_raw(argv[optind], argv[optind + 1], shrink);
    if (strcmp(format, "qcow2") != 0)
        die("format '%s': raw and qcow2 are supported", format);
    return resize_qcow2(argv[optind], argv[optind + 1]);
}

static int commit(int argc, char **argv)
{
    struct refusal why;

    if (argc != 2)
        die("commit: say a file name");
    if (qcow2_commit(argv[1], &why) < 0)
        die("%s: %s", argv[1], why.text);
    printf("Image committed.\n");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"create", create},       {"info", img_info}, {"check", check},
                    {"convert", img_convert}, {"commit", commit}, {"resize", resize},
                    {"compare", img_compare}};

    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        printf("usage: vmm-img create -f FORMAT [-b FILE -F FORMAT] [-o OPTIONS] FILE [SIZE]\n"
               "       vmm-img info [-f FORMAT] [--output=json] FILE\n"
               "       vmm-img check [-r leaks|all] [--output=json] FILE\n"
               "           (status 0 good, 2 errors, 3 leaks)\n"
               "       vmm-img convert [-c] [-p] [-f FORMAT] -O FORMAT [-o OPTIONS] FROM TO\n"
               "       vmm-img compare [-f FORMAT] [-F FORMAT] [-q] [-s] FILE FILE\n"
               "           (status 0 the same, 1 different, 2 could not be read)\n"
               "       vmm-img commit FILE                   (into the file underneath)\n"
               "       vmm-img resize [-f FORMAT] [--shrink] FILE [+|-]SIZE\n"
               "A FORMAT is raw or qcow2; OPTIONS are cluster_size=N, backing_file=FILE,\n"
               "backing_fmt=FORMAT, with commas.\n");
        return argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    die("no command '%s'; see vmm-img --help", argv[1]);
}
