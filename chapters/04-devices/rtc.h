/*
 * rtc.h: the battery-backed clock of a PC and its bytes of CMOS memory, an MC146818.
 *
 * Two ports give access to 128 bytes: write an index to 0x70, then read or write
 * 0x71. The first ten bytes are a clock, four are registers, the rest is memory.
 *
 *     0x00 seconds   0x02 minutes   0x04 hours     0x06 day of week (1 = Sunday)
 *     0x07 day       0x08 month     0x09 year      0x32 century (by convention)
 *     0x01 0x03 0x05 alarm          0x0a..0x0d registers A to D
 *
 * Time comes from the clock handed to rtc_init(), so a test can hold it still and
 * the board can choose what the guest believes. A guest that sets its clock
 * changes the difference to that one, never that one.
 *
 * Three things interrupt, each if register B enables it: a rhythm of 2 to 8192 Hz, the
 * alarm, and each new second. Register C says which it was. Reading C clears it, and
 * only then can there be another interrupt.
 *
 *     struct rtc rtc;
 *     rtc_init(&rtc, clock, alarm, irq_line_8);         the alarm calls rtc_alarm(&rtc)
 *     cmos_describe(&rtc, &board);                      cmos.h
 *     bus: 0x70, 2 ports: rtc_read, rtc_write, &rtc
 */
#ifndef CHAPTER_04_RTC_H
#define CHAPTER_04_RTC_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "04-devices/clock.h"
#include "04-devices/irq.h"

#define RTC_PORTS      0x70u /* two ports, width 1 */
#define RTC_PORT_COUNT 2u

enum rtc_register {
    RTC_SECONDS = 0x00,
    RTC_SECONDS_ALARM = 0x01,
    RTC_MINUTES = 0x02,
    RTC_MINUTES_ALARM = 0x03,
    RTC_HOURS = 0x04,
    RTC_HOURS_ALARM = 0x05,
    RTC_WEEKDAY = 0x06,
    RTC_DAY = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09,
    RTC_A = 0x0a,
    RTC_B = 0x0b,
    RTC_C = 0x0c,
    RTC_D = 0x0d,
    RTC_CENTURY = 0x32,
};

/* [MC146818, "Registers"] */
#define RTC_A_UIP     0x80u /* the clock is about to change: do not read it now */
#define RTC_A_DV      0x70u /* the divider; 32 kHz on a PC */
#define RTC_A_32KHZ   0x20u
#define RTC_A_RS      0x0fu /* the rate of the periodic interrupt; 0: none */
#define RTC_A_RATE    0x06u /* 1024 Hz, where a PC's firmware leaves it */
#define RTC_B_SET     0x80u /* the clock stands still while it is being set */
#define RTC_B_PIE     0x40u /* interrupt periodically, */
#define RTC_B_AIE     0x20u /* at the alarm, */
#define RTC_B_UIE     0x10u /* after each update of the time */
#define RTC_B_DM      0x04u /* binary instead of BCD */
#define RTC_B_24      0x02u /* hours 0-23 instead of 1-12 with bit 7 for PM */
#define RTC_C_IRQF    0x80u /* one of the next three, and B enables it */
#define RTC_C_PF      0x40u
#define RTC_C_AF      0x20u
#define RTC_C_UF      0x10u
#define RTC_D_VRT     0x80u /* the battery is good */

#define RTC_ALARM_ANY 0xc0u /* in an alarm byte, both bits: any value will do */
#define RTC_HOURS_PM  0x80u

/* Before each new second UIP is set for so long, in nanoseconds: a reader that */
/* saw it clear has 244 us. [MC146818, "Update Cycle"]                          */
#define RTC_UIP_NS INT64_C(2228000)

struct rtc {
    struct clock clock;
    struct alarm alarm;
    struct irq_line irq;
    uint8_t index;
    uint8_t bytes[128];
    int64_t offset;    /* what the guest's clock shows minus clock, in seconds */
    struct tm stopped; /* what it shows while register B has SET */
    int64_t seen;      /* the moment up to which register C is complete */
    bool level;        /* of the interrupt line */
};

/* The clock counts from 1970-01-01 00:00. The line is taken to be low. */
void rtc_init(struct rtc *rtc, struct clock clock, struct alarm alarm, struct irq_line irq);

/* The alarm's moment has come: drives the interrupt line, sets the next alarm. */
void rtc_alarm(struct rtc *rtc);

/* Bus callbacks for RTC_PORTS. */
uint64_t rtc_read(void *self, uint64_t reg, unsigned size);
void rtc_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
