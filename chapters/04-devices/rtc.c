/*
 * rtc.c: see rtc.h. Open at hand: [MC146818], "Address Map" and "Registers".
 *
 * The clock's bytes are not stored. Reading one asks the host's clock and takes
 * the calendar apart; writing one takes it apart, puts the new value in, and
 * moves the offset. So the guest's clock never drifts from the host's.
 *
 * Left out on purpose: interrupts (see rtc.h), daylight saving, and a day of the
 * week that disagrees with the date.
 */
#define _DEFAULT_SOURCE /* timegm */
#include "04-devices/rtc.h"

#define SECOND INT64_C(1000000000)

/* The years 1 and 9999: what two bytes of decimal digits can say. */
#define FIRST_SECOND INT64_C(-62135596800)
#define LAST_SECOND  INT64_C(253402300799)

/* The host's clock in whole seconds, and the nanoseconds since the last one. */
static int64_t host_seconds(const struct rtc *rtc, int64_t *rest)
{
    int64_t now = clock_now(&rtc->clock);

    *rest = now % SECOND;
    return now / SECOND;
}

/* What the guest's clock shows now. */
static struct tm rtc_calendar(const struct rtc *rtc)
{
    int64_t rest;
    time_t seconds;
    struct tm tm;

    if (rtc->bytes[RTC_B] & RTC_B_SET)
        return rtc->stopped;
    seconds = host_seconds(rtc, &rest) + rtc->offset;
    gmtime_r(&seconds, &tm);
    return tm;
}

/*
 * From now on the clock shows tm. Impossible values (a 31st of February, minute
 * 99) carry over; a year that no PC has seen changes nothing.
 */
static void rtc_set(struct rtc *rtc, struct tm tm)
{
    int64_t rest;
    int64_t seconds = timegm(&tm);

    if (seconds >= FIRST_SECOND && seconds <= LAST_SECOND)
        rtc->offset = seconds - host_seconds(rtc, &rest);
}

/* Numbers as the guest has asked for them: binary, or two decimal digits. */
static uint8_t rtc_encode(const struct rtc *rtc, unsigned value)
{
    if (rtc->bytes[RTC_B] & RTC_B_DM)
        return (uint8_t)value;
    return (uint8_t)(value / 10 << 4 | value % 10);
}

static int rtc_decode(const struct rtc *rtc, uint8_t byte)
{
    if (rtc->bytes[RTC_B] & RTC_B_DM)
        return byte;
    return (byte >> 4) * 10 + (byte & 0x0f);
}

static uint8_t rtc_encode_hour(const struct rtc *rtc, unsigned hour)
{
    if (rtc->bytes[RTC_B] & RTC_B_24)
        return rtc_encode(rtc, hour);
    return rtc_encode(rtc, (hour + 11) % 12 + 1) | (hour >= 12 ? RTC_HOURS_PM : 0);
}

static int rtc_decode_hour(const struct rtc *rtc, uint8_t byte)
{
    if (rtc->bytes[RTC_B] & RTC_B_24)
        return rtc_decode(rtc, byte);
    return rtc_decode(rtc, byte & ~RTC_HOURS_PM) % 12 + (byte & RTC_HOURS_PM ? 12 : 0);
}

static uint8_t rtc_read_time(const struct rtc *rtc, enum rtc_register index)
{
    struct tm tm = rtc_calendar(rtc);
    unsigned year = (unsigned)tm.tm_year + 1900;

    switch (index) {
    case RTC_SECONDS: return rtc_encode(rtc, (unsigned)tm.tm_sec);
    case RTC_MINUTES: return rtc_encode(rtc, (unsigned)tm.tm_min);
    case RTC_HOURS: return rtc_encode_hour(rtc, (unsigned)tm.tm_hour);
    case RTC_WEEKDAY: return rtc_encode(rtc, (unsigned)tm.tm_wday + 1);
    case RTC_DAY: return rtc_encode(rtc, (unsigned)tm.tm_mday);
    case RTC_MONTH: return rtc_encode(rtc, (unsigned)tm.tm_mon + 1);
    case RTC_YEAR: return rtc_encode(rtc, year % 100);
    default: return rtc_encode(rtc, year / 100);
    }
}

static void rtc_write_time(struct rtc *rtc, enum rtc_register index, uint8_t byte)
{
    struct tm tm = rtc_calendar(rtc);
    int value = rtc_decode(rtc, byte);
    int year = tm.tm_year + 1900;

    switch (index) {
    case RTC_SECONDS: tm.tm_sec = value; break;
    case RTC_MINUTES: tm.tm_min = value; break;
    case RTC_HOURS: tm.tm_hour = rtc_decode_hour(rtc, byte); break;
    case RTC_DAY: tm.tm_mday = value; break;
    case RTC_MONTH: tm.tm_mon = value - 1; break;
    case RTC_YEAR: year += value - year % 100; break;
    case RTC_CENTURY: year = (value ? value : 19) * 100 + year % 100; break;
    default: return; /* the day of the week follows from the date */
    }
    tm.tm_year = year - 1900;
    /* A stopped clock keeps each byte as it comes: the 31st before its month. */
    if (rtc->bytes[RTC_B] & RTC_B_SET)
        rtc->stopped = tm;
    else
        rtc_set(rtc, tm);
}

static bool is_time(uint8_t index)
{
    switch (index) {
    case RTC_SECONDS:
    case RTC_MINUTES:
    case RTC_HOURS:
    case RTC_WEEKDAY:
    case RTC_DAY:
    case RTC_MONTH:
    case RTC_YEAR:
    case RTC_CENTURY: return true;
    default: return false;
    }
}

/* Setting SET stops the clock; clearing it lets the clock go on from there. */
static void rtc_write_b(struct rtc *rtc, uint8_t value)
{
    struct tm tm = rtc_calendar(rtc);
    bool was_set = rtc->bytes[RTC_B] & RTC_B_SET;

    rtc->bytes[RTC_B] = value;
    if (value & RTC_B_SET)
        rtc->stopped = tm;
    else if (was_set)
        rtc_set(rtc, tm);
}

uint64_t rtc_read(void *self, uint64_t reg, unsigned size)
{
    const struct rtc *rtc = self;
    int64_t rest;

    (void)size;
    if (reg == 0)
        return 0xff; /* the index can only be written */
    if (is_time(rtc->index))
        return rtc_read_time(rtc, rtc->index);
    if (rtc->index == RTC_A && !(rtc->bytes[RTC_B] & RTC_B_SET)) {
        host_seconds(rtc, &rest);
        return rtc->bytes[RTC_A] | (rest >= SECOND - RTC_UIP_NS ? RTC_A_UIP : 0);
    }
    return rtc->bytes[rtc->index];
}

void rtc_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct rtc *rtc = self;
    uint8_t byte = (uint8_t)value;

    (void)size;
    if (reg == 0)
        rtc->index = byte & 0x7f; /* bit 7 masks NMIs, of which we send none */
    else if (is_time(rtc->index))
        rtc_write_time(rtc, rtc->index, byte);
    else if (rtc->index == RTC_A)
        rtc->bytes[RTC_A] = byte & ~RTC_A_UIP;
    else if (rtc->index == RTC_B)
        rtc_write_b(rtc, byte);
    else if (rtc->index != RTC_C && rtc->index != RTC_D) /* these two are read-only */
        rtc->bytes[rtc->index] = byte;
}

void rtc_alarm(struct rtc *rtc)
{
    alarm_set(&rtc->alarm, ALARM_NEVER);
}

void rtc_init(struct rtc *rtc, struct clock clock, struct alarm alarm, struct irq_line irq)
{
    *rtc = (struct rtc){.clock = clock, .alarm = alarm, .irq = irq};
    rtc->bytes[RTC_A] = RTC_A_32KHZ | RTC_A_RATE;
    rtc->bytes[RTC_B] = RTC_B_24;
    rtc->bytes[RTC_D] = RTC_D_VRT;
}
