/*
 * registers.c: see registers.h: one table, from which the XML, the order and the sizes come.
 *
 * Where KVM keeps a register in fewer bytes than gdb has for it, the others are zero.
 */
#include "07-linux-boot/gdb/registers.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "02-protected-mode/sregs_check.h"
#include "common/bits.h"

enum access { WRITABLE, READ_ONLY, TAGS };

struct row {
    const char *feature; /* NULL: that of the row above */
    const char *name, *type;
    uint8_t size, kept; /* bytes for gdb, bytes at the offset */
    uint8_t access;
    uint16_t offset;
};

#define AT(field) (uint16_t) offsetof(struct registers, field)

#define GENERAL(name, type)                                                                        \
    {                                                                                              \
        NULL, #name, type, 8, 8, WRITABLE, AT(general.name)                                        \
    }
#define SELECTOR(name)                                                                             \
    {                                                                                              \
        NULL, #name, "int32", 4, 2, READ_ONLY, AT(special.name.selector)                           \
    }
#define ST(n)                                                                                      \
    {                                                                                              \
        NULL, "st" #n, "i387_ext", 10, 10, WRITABLE, AT(floating.st[n])                            \
    }
#define X87(name, kept, access, field)                                                             \
    {                                                                                              \
        NULL, name, "int", 4, kept, access, AT(floating.field)                                     \
    }
#define XMM(n)                                                                                     \
    {                                                                                              \
        NULL, "xmm" #n, "vec128", 16, 16, WRITABLE, AT(floating.xmm[n])                            \
    }
#define YMM(n)                                                                                     \
    {                                                                                              \
        NULL, "ymm" #n "h", "uint128", 16, 16, WRITABLE, AT(floating.ymm_high[n])                  \
    }
#define BASE(name, field)                                                                          \
    {                                                                                              \
        NULL, name, "data_ptr", 8, 8, WRITABLE, AT(field)                                          \
    }
#define CONTROL(name)                                                                              \
    {                                                                                              \
        NULL, #name, "int64", 8, 8, WRITABLE, AT(special.name)                                     \
    }

static const struct row rows[] = {
    {"org.gnu.gdb.i386.core", "rax", "int64", 8, 8, WRITABLE, AT(general.rax)},
    GENERAL(rbx, "int64"),
    GENERAL(rcx, "int64"),
    GENERAL(rdx, "int64"),
    GENERAL(rsi, "int64"),
    GENERAL(rdi, "int64"),
    GENERAL(rbp, "data_ptr"),
    GENERAL(rsp, "data_ptr"),
    GENERAL(r8, "int64"),
    GENERAL(r9, "int64"),
    GENERAL(r10, "int64"),
    GENERAL(r11, "int64"),
    GENERAL(r12, "int64"),
    GENERAL(r13, "int64"),
    GENERAL(r14, "int64"),
    GENERAL(r15, "int64"),
    GENERAL(rip, "code_ptr"),
    {NULL, "eflags", "i386_eflags", 4, 4, WRITABLE, AT(general.rflags)},
    SELECTOR(cs),
    SELECTOR(ss),
    SELECTOR(ds),
    SELECTOR(es),
    SELECTOR(fs),
    SELECTOR(gs),
    ST(0),
    ST(1),
    ST(2),
    ST(3),
    ST(4),
    ST(5),
    ST(6),
    ST(7),
    X87("fctrl", 2, WRITABLE, fcw),
    X87("fstat", 2, WRITABLE, fsw),
    X87("ftag", 1, TAGS, ftw),
    X87("fiseg", 0, READ_ONLY, fip),
    X87("fioff", 4, READ_ONLY, fip),
    X87("foseg", 0, READ_ONLY, fdp),
    X87("fooff", 4, READ_ONLY, fdp),
    X87("fop", 2, READ_ONLY, fop),
    {"org.gnu.gdb.i386.sse", "xmm0", "vec128", 16, 16, WRITABLE, AT(floating.xmm[0])},
    XMM(1),
    XMM(2),
    XMM(3),
    XMM(4),
    XMM(5),
    XMM(6),
    XMM(7),
    XMM(8),
    XMM(9),
    XMM(10),
    XMM(11),
    XMM(12),
    XMM(13),
    XMM(14),
    XMM(15),
    {NULL, "mxcsr", "i386_mxcsr", 4, 4, WRITABLE, AT(floating.mxcsr)},
    {"org.gnu.gdb.i386.avx", "ymm0h", "uint128", 16, 16, WRITABLE, AT(floating.ymm_high[0])},
    YMM(1),
    YMM(2),
    YMM(3),
    YMM(4),
    YMM(5),
    YMM(6),
    YMM(7),
    YMM(8),
    YMM(9),
    YMM(10),
    YMM(11),
    YMM(12),
    YMM(13),
    YMM(14),
    YMM(15),
    {"org.gnu.gdb.i386.segments", "fs_base", "data_ptr", 8, 8, WRITABLE, AT(special.fs.base)},
    BASE("gs_base", special.gs.base),
    {"org.ring-1.x86.control", "k_gs_base", "data_ptr", 8, 8, WRITABLE, AT(kernel_gs)},
    CONTROL(cr0),
    CONTROL(cr2),
    CONTROL(cr3),
    CONTROL(cr4),
    CONTROL(cr8),
    CONTROL(efer),
};

/* ---- types that gdb does not bring ---- */

static const char flags_types[] =
    "<flags id=\"i386_eflags\" size=\"4\">"
    "<field name=\"\" start=\"22\" end=\"31\"/><field name=\"ID\" start=\"21\" end=\"21\"/>"
    "<field name=\"VIP\" start=\"20\" end=\"20\"/><field name=\"VIF\" start=\"19\" end=\"19\"/>"
    "<field name=\"AC\" start=\"18\" end=\"18\"/><field name=\"VM\" start=\"17\" end=\"17\"/>"
    "<field name=\"RF\" start=\"16\" end=\"16\"/><field name=\"NT\" start=\"14\" end=\"14\"/>"
    "<field name=\"OF\" start=\"11\" end=\"11\"/><field name=\"DF\" start=\"10\" end=\"10\"/>"
    "<field name=\"IF\" start=\"9\" end=\"9\"/><field name=\"TF\" start=\"8\" end=\"8\"/>"
    "<field name=\"SF\" start=\"7\" end=\"7\"/><field name=\"ZF\" start=\"6\" end=\"6\"/>"
    "<field name=\"AF\" start=\"4\" end=\"4\"/><field name=\"PF\" start=\"2\" end=\"2\"/>"
    "<field name=\"CF\" start=\"0\" end=\"0\"/></flags>\n";

static const char vector_types[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>"
    "<flags id=\"i386_mxcsr\" size=\"4\"><field name=\"IE\" start=\"0\" end=\"0\"/>"
    "<field name=\"DE\" start=\"1\" end=\"1\"/><field name=\"ZE\" start=\"2\" end=\"2\"/>"
    "<field name=\"OE\" start=\"3\" end=\"3\"/><field name=\"UE\" start=\"4\" end=\"4\"/>"
    "<field name=\"PE\" start=\"5\" end=\"5\"/><field name=\"DAZ\" start=\"6\" end=\"6\"/>"
    "<field name=\"IM\" start=\"7\" end=\"7\"/><field name=\"DM\" start=\"8\" end=\"8\"/>"
    "<field name=\"ZM\" start=\"9\" end=\"9\"/><field name=\"OM\" start=\"10\" end=\"10\"/>"
    "<field name=\"UM\" start=\"11\" end=\"11\"/><field name=\"PM\" start=\"12\" end=\"12\"/>"
    "<field name=\"FZ\" start=\"15\" end=\"15\"/></flags>\n";

static void describe_types(FILE *out, const char *feature)
{
    if (strstr(feature, ".core"))
        fputs(flags_types, out);
    if (strstr(feature, ".sse"))
        fputs(vector_types, out);
}

/* The x87's registers are shown apart, by "info float". */
static const char *group(const struct row *row)
{
    if (strcmp(row->type, "i387_ext") == 0 || strcmp(row->type, "int") == 0)
        return " group=\"float\"";
    return "";
}

void registers_describe(FILE *out)
{
    fputs("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
          "<target><architecture>i386:x86-64</architecture>\n",
          out);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].feature) {
            fprintf(out, "%s<feature name=\"%s\">\n", i > 0 ? "</feature>\n" : "", rows[i].feature);
            describe_types(out, rows[i].feature);
        }
        fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"%s/>\n", rows[i].name,
                rows[i].size * 8, rows[i].type, group(&rows[i]));
    }
    fputs("</feature></target>\n", out);
}

/* ---- values ---- */

unsigned registers_count(void)
{
    return ARRAY_SIZE(rows);
}

unsigned register_size(unsigned number)
{
    assert(number < ARRAY_SIZE(rows));
    return rows[number].size;
}

/*
 * FXSAVE has a bit for each x87 register that is in use, gdb two bits that are both one
 * when it is not. What else they could tell, gdb sees in the value.
 * [SDM1, 8.1.7 "x87 FPU Tag Word", 10.5.1.1 "x87 State"]
 */
static uint16_t tags_of(uint8_t used)
{
    uint16_t tags = 0;

    for (unsigned i = 0; i < 8; i++)
        if (!(used & BIT(i)))
            tags |= (uint16_t)(3u << 2 * i);
    return tags;
}

static uint8_t used_of(const uint8_t *bytes)
{
    unsigned tags = bytes[0] | (unsigned)bytes[1] << 8;
    uint8_t used = 0;

    for (unsigned i = 0; i < 8; i++)
        if ((tags >> 2 * i & 3) != 3)
            used |= (uint8_t)BIT(i);
    return used;
}

void register_read(const struct registers *registers, unsigned number, uint8_t *bytes)
{
    const struct row *row = &rows[number];
    const uint8_t *at = (const uint8_t *)registers + row->offset;

    assert(number < ARRAY_SIZE(rows));
    memset(bytes, 0, row->size);
    if (row->access == TAGS) {
        bytes[0] = (uint8_t)tags_of(*at);
        bytes[1] = (uint8_t)(tags_of(*at) >> 8);
    } else {
        memcpy(bytes, at, row->kept);
    }
}

/* Would a processor refuse to go on with these, that would have gone on with those? */
static bool worse(const struct registers *now, const struct registers *before)
{
    struct sregs_findings found, found_before;

    sregs_check(&now->general, &now->special, &found);
    sregs_check(&before->general, &before->special, &found_before);
    return sregs_refused(&found) && !sregs_refused(&found_before);
}

/* What XRSTOR is to take from memory, for this register to be what it is there. */
static uint64_t component(const struct row *row)
{
    if (row->offset >= AT(floating.ymm_high))
        return XSTATE_AVX;
    return row->offset >= AT(floating.mxcsr) && strncmp(row->name, "st", 2) != 0 ? XSTATE_SSE
                                                                                 : XSTATE_X87;
}

bool register_write(struct registers *registers, unsigned number, const uint8_t *bytes)
{
    const struct row *row = &rows[number];
    struct registers now = *registers;
    uint8_t *at = (uint8_t *)&now + row->offset, old[REGISTER_MAX];

    register_read(registers, number, old);
    if (memcmp(old, bytes, row->size) == 0)
        return true;
    if (row->access == READ_ONLY)
        return false;
    if (row->access == TAGS) {
        *at = used_of(bytes);
    } else {
        for (unsigned i = row->kept; i < row->size; i++)
            if (bytes[i])
                return false;
        memcpy(at, bytes, row->kept);
    }
    if (worse(&now, registers))
        return false;
    if (memcmp(&now.floating, &registers->floating, sizeof now.floating) != 0)
        now.floating.xstate_bv |= component(row);
    *registers = now;
    return true;
}
