/*
 * cmos.c: see cmos.h. Open at hand: [RBIL, "CMOS Memory Map"].
 *
 * Left out on purpose: drive types, boot order, passwords and everything else that a
 * firmware's own set-up keeps for itself.
 */
#include "04-devices/cmos.h"

#include "common/bits.h"

#define CHECKSUM_START 0x10u
#define CHECKSUM_END   0x2eu

/* Stores value in count bytes, low byte first; what does not fit is all ones. */
static void store(struct rtc *rtc, enum cmos_byte at, unsigned count, uint64_t value)
{
    uint64_t most = (UINT64_C(1) << (8 * count)) - 1;

    if (value > most)
        value = most;
    for (unsigned i = 0; i < count; i++)
        rtc->bytes[at + i] = (uint8_t)(value >> (8 * i));
}

/* How much of [0, end) lies above start. */
static uint64_t above(uint64_t end, uint64_t start)
{
    return end > start ? end - start : 0;
}

void cmos_describe(struct rtc *rtc, const struct cmos_board *board)
{
    uint64_t base = board->below_4_gib < 640 * KIB ? board->below_4_gib : 640 * KIB;
    uint16_t sum = 0;

    rtc->bytes[CMOS_DIAGNOSIS] = 0;
    rtc->bytes[CMOS_SHUTDOWN] = 0;
    rtc->bytes[CMOS_EQUIPMENT] = board->equipment;
    store(rtc, CMOS_BASE_MEMORY, 2, base / KIB);
    store(rtc, CMOS_EXTENDED, 2, above(board->below_4_gib, MIB) / KIB);
    store(rtc, CMOS_EXTENDED_2, 2, above(board->below_4_gib, MIB) / KIB);
    store(rtc, CMOS_ABOVE_16_MIB, 2, above(board->below_4_gib, 16 * MIB) / (64 * KIB));
    store(rtc, CMOS_ABOVE_4_GIB, 3, board->above_4_gib / (64 * KIB));

    for (unsigned i = CHECKSUM_START; i < CHECKSUM_END; i++)
        sum = (uint16_t)(sum + rtc->bytes[i]);
    rtc->bytes[CMOS_CHECKSUM] = (uint8_t)(sum >> 8);
    rtc->bytes[CMOS_CHECKSUM + 1] = (uint8_t)sum;
}
