/*
 * cmos.h: what the firmware of a PC leaves in the battery-backed memory of its clock.
 *
 * Older systems, and the firmware that starts them, look here for the size of the
 * memory and for what is installed, since nobody else would tell them. The numbers are
 * stored low byte first. [RBIL, "CMOS Memory Map"]
 */
#ifndef CHAPTER_04_CMOS_H
#define CHAPTER_04_CMOS_H

#include <stdint.h>

#include "04-devices/rtc.h"

enum cmos_byte {
    CMOS_DIAGNOSIS = 0x0e,    /* 0: the power-on test found nothing wrong */
    CMOS_SHUTDOWN = 0x0f,     /* why the processor was reset; 0: power-on */
    CMOS_EQUIPMENT = 0x14,    /* CMOS_FPU and so on */
    CMOS_BASE_MEMORY = 0x15,  /* KiB below 640 KiB; two bytes */
    CMOS_EXTENDED = 0x17,     /* KiB above 1 MiB, 65535 at most; two bytes */
    CMOS_CHECKSUM = 0x2e,     /* of 0x10 to 0x2d: two bytes, high byte first */
    CMOS_EXTENDED_2 = 0x30,   /* as CMOS_EXTENDED: what the power-on test found */
    CMOS_ABOVE_16_MIB = 0x34, /* in units of 64 KiB, below 4 GiB; two bytes */
    CMOS_ABOVE_4_GIB = 0x5b,  /* in units of 64 KiB; three bytes */
};

/* The equipment byte. */
#define CMOS_FPU   0x02u
#define CMOS_MOUSE 0x04u

struct cmos_board {
    uint64_t below_4_gib; /* RAM from address 0 to its end, in bytes */
    uint64_t above_4_gib;
    uint8_t equipment;
};

/* Writes what the board has into the clock's memory. After rtc_init(). */
void cmos_describe(struct rtc *rtc, const struct cmos_board *board);

#endif
