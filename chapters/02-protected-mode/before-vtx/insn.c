/*
 * insn.c: see insn.h. Two tables say for each opcode what follows it.
 *
 * Open at hand: [SDM2, A.3 "One, Two, and Three-Byte Opcode Maps"]. The tables are
 * strings, a character for each opcode, sixteen in a row as in the manual:
 *
 *     .  nothing        m  ModRM               b  immediate of 1 byte
 *     z  2 or 4 bytes   M  ModRM and 1 byte    Z  ModRM and 2 or 4 bytes
 *     w  2 bytes        e  3 bytes (ENTER)     a  an address of 8 bytes (or 4)
 *     v  2, 4 or 8      t  TEST: group 3       p  a prefix   x  undefined or unknown
 */
#include "02-protected-mode/before-vtx/insn.h"

#include <string.h>

static const char one_byte[257] = /*   0 1 2 3 4 5 6 7 8 9 a b c d e f */
    /* 0 */ "mmmmbzxxmmmmbzxp"    /* the p at 0f: a second opcode byte follows */
            /* 1 */ "mmmmbzxxmmmmbzxx"
            /* 2 */ "mmmmbzpxmmmmbzpx"
            /* 3 */ "mmmmbzpxmmmmbzpx"
            /* 4 */ "pppppppppppppppp" /* REX */
            /* 5 */ "................"
            /* 6 */ "xxxmppppzZbM...."
            /* 7 */ "bbbbbbbbbbbbbbbb"
            /* 8 */ "MZxMmmmmmmmmmmmm"
            /* 9 */ "..........x....."
            /* a */ "aaaa....bz......"
            /* b */ "bbbbbbbbvvvvvvvv"
            /* c */ "MMw.xxMZe.w..bx."
            /* d */ "mmmmxxx.mmmmmmmm"
            /* e */ "bbbbbbbbddxb...."
            /* f */ "p.pp..tt......mm";

static const char two_byte[257] =
    /* 0 */ "mmmmx.....x.xm.x"
            /* 1 */ "mmmmmmmmmmmmmmmm"
            /* 2 */ "mmmmxxxxmmmmmmmm"
            /* 3 */ "......x.3x3xxxxx" /* 3: a third opcode byte follows */
            /* 4 */ "mmmmmmmmmmmmmmmm"
            /* 5 */ "mmmmmmmmmmmmmmmm"
            /* 6 */ "mmmmmmmmmmmmmmmm"
            /* 7 */ "MMMMmmm.mmxxmmmm"
            /* 8 */ "dddddddddddddddd"
            /* 9 */ "mmmmmmmmmmmmmmmm"
            /* a */ "...mMmxx...mMmmm"
            /* b */ "mmmmmmmmmmMmmmmm"
            /* c */ "mmMmMMMm........"
            /* d */ "mmmmmmmmmmmmmmmm"
            /* e */ "mmmmmmmmmmmmmmmm"
            /* f */ "mmmmmmmmmmmmmmmm";

/* What is left to read. */
struct bytes {
    const uint8_t *at;
    size_t left;
};

static bool take(struct bytes *bytes, unsigned count, uint64_t *value)
{
    if (bytes->left < count)
        return false;
    *value = 0;
    memcpy(value, bytes->at, count); /* little-endian, as this machine */
    bytes->at += count;
    bytes->left -= count;
    return true;
}

unsigned insn_reg(const struct insn *insn)
{
    return (insn->modrm >> 3 & 7) | (insn->rex & 4 ? 8 : 0);
}

unsigned insn_rm(const struct insn *insn)
{
    return (insn->modrm & 7) | (insn->rex & 1 ? 8 : 0);
}

bool insn_is_register(const struct insn *insn)
{
    return insn->modrm >> 6 == 3;
}

/* Prefixes in any order, then at most one REX, which counts only directly before the opcode. */
static bool take_prefixes(struct bytes *bytes, struct insn *insn, uint8_t *opcode)
{
    uint64_t byte;

    for (;;) {
        if (!take(bytes, 1, &byte))
            return false;
        switch (byte) {
        case 0x66: insn->wide16 = true; break;
        case 0x67: insn->addr32 = true; break;
        case 0x64:
        case 0x65: insn->segment = (uint8_t)byte; break;
        case 0xf0:
        case 0xf2:
        case 0xf3: insn->lock_or_rep = true; break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e: break; /* segments that 64-bit mode ignores */
        default:
            if (byte >> 4 != 4) {
                *opcode = (uint8_t)byte;
                return true;
            }
            insn->rex = (uint8_t)byte;
            continue; /* not reset: the opcode must come next */
        }
        insn->rex = 0;
    }
}

static bool take_modrm(struct bytes *bytes, struct insn *insn)
{
    uint64_t byte, displacement = 0;
    unsigned mod, size = 0;

    if (!take(bytes, 1, &byte))
        return false;
    insn->has_modrm = true;
    insn->modrm = (uint8_t)byte;
    mod = insn->modrm >> 6;
    if (mod == 3)
        return true;
    if (mod == 1)
        size = 1;
    if (mod == 2 || (mod == 0 && (insn->modrm & 7) == 5)) /* the latter is RIP-relative */
        size = 4;
    if ((insn->modrm & 7) == 4) {
        if (!take(bytes, 1, &byte))
            return false;
        insn->sib = (uint8_t)byte;
        if (mod == 0 && (insn->sib & 7) == 5)
            size = 4;
    }
    if (!take(bytes, size, &displacement))
        return false;
    insn->displacement = size == 1 ? (int8_t)displacement : (int32_t)displacement;
    return true;
}

static unsigned immediate_size(const struct insn *insn, char kind)
{
    const bool w = insn->rex & 8;

    switch (kind) {
    case 'b':
    case 'M': return 1;
    case 'w': return 2;
    case 'e': return 3;
    case 'd': return 4; /* a branch: 0x66 does not shorten it */
    case 'a': return insn->addr32 ? 4 : 8;
    case 'z':
    case 'Z': return insn->wide16 && !w ? 2 : 4;
    case 'v': return w ? 8 : insn->wide16 ? 2 : 4;
    case 't': /* only TEST, /0 and /1 of the group, has an immediate */
        if (insn->modrm >> 3 & 6)
            return 0;
        return insn->opcode == 0xf6 ? 1 : insn->wide16 && !w ? 2 : 4;
    default: return 0;
    }
}

bool insn_decode(const uint8_t *code, size_t size, struct insn *insn)
{
    struct bytes bytes = {code, size < INSN_MAX ? size : INSN_MAX};
    uint64_t byte;
    uint8_t opcode;
    char kind;

    *insn = (struct insn){0};
    if (!take_prefixes(&bytes, insn, &opcode))
        return false;
    insn->opcode = opcode;
    kind = one_byte[opcode];
    if (opcode == 0x0f) {
        if (!take(&bytes, 1, &byte))
            return false;
        insn->opcode = 0x0f00 | (unsigned)byte;
        kind = two_byte[byte];
        if (kind == '3') {
            kind = byte == 0x38 ? 'm' : 'M';
            if (!take(&bytes, 1, &byte))
                return false;
            insn->opcode = insn->opcode << 8 | (unsigned)byte;
        }
    }
    if (kind == 'x')
        return false;
    if (strchr("mMZt", kind) && !take_modrm(&bytes, insn))
        return false;
    if (!take(&bytes, immediate_size(insn, kind), &insn->immediate))
        return false;
    insn->length = (unsigned)(bytes.at - code);
    return true;
}
