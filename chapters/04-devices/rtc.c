/*
 * rtc.c: see rtc.h. Open at hand: [MC146818], "Address Map", "Registers" and
 * "Interrupts".
 *
 * The clock's bytes are not stored. Reading one asks the host's clock and takes
 * the calendar apart; writing one takes it apart, puts the new value in, and
 * moves the offset. So the guest's clock never drifts from the host's.
 *
 * Nor does register C count along: when somebody looks, it is worked out what has
 * happened since somebody looked last. The alarm is set only for what would interrupt,
 * and not while the line is high: a guest that does not read C hears no more.
 *
 * Left out on purpose: the square-wave pin, stopping the divider (Linux does so while it
 * sets the clock; ours runs on), daylight saving, and a day of the week that disagrees
 * with the date.
 */
#define _DEFAULT_SOURCE /* timegm */
#include "04-devices/rtc.h"

#define SECOND  INT64_C(1000000000)
#define DAY     INT64_C(86400) /* seconds */
#define CRYSTAL INT64_C(32768) /* Hz */

/* The years 1 and 9999: what two bytes of decimal digits can say. */
#define FIRST_SECOND INT64_C(-62135596800)
#define LAST_SECOND  INT64_C(253402300799)

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

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

/*
 * The next beat of the periodic interrupt after a moment. Rates 1 and 2 are those of 8
 * and 9 with a 32 kHz crystal. Whole beats make up a second, so none is ever rounded
 * away. [MC146818, "Periodic Interrupt Rate and Square Wave Output Frequency"]
 */
static int64_t next_beat(const struct rtc *rtc, int64_t after)
{
    unsigned rate = rtc->bytes[RTC_A] & RTC_A_RS;
    int64_t period, beat;

    if (rate == 0)
        return ALARM_NEVER;
    period = INT64_C(1) << (rate <= 2 ? rate + 6 : rate - 1); /* in ticks of the crystal */
    beat = (after % SECOND * CRYSTAL / SECOND / period + 1) * period;
    return after - after % SECOND + (beat * SECOND + CRYSTAL - 1) / CRYSTAL;
}

static int64_t next_second(const struct rtc *rtc, int64_t after)
{
    if (rtc->bytes[RTC_B] & RTC_B_SET)
        return ALARM_NEVER; /* it stands still */
    return after - after % SECOND + SECOND;
}

/* Does the alarm's byte fit value? */
static bool alarm_fits(const struct rtc *rtc, enum rtc_register index, int value)
{
    uint8_t byte = rtc->bytes[index];

    if ((byte & RTC_ALARM_ANY) == RTC_ALARM_ANY)
        return true;
    if (index == RTC_HOURS_ALARM)
        return rtc_decode_hour(rtc, byte) == value;
    return rtc_decode(rtc, byte) == value;
}

/* ... any value below limit? A 61st minute never comes, and we need not look for it. */
static bool alarm_fits_any(const struct rtc *rtc, enum rtc_register index, int limit)
{
    for (int value = 0; value < limit; value++)
        if (alarm_fits(rtc, index, value))
            return true;
    return false;
}

/* The first second of the day, not before `from`, that the alarm fits; or -1. */
static int alarm_of_day(const struct rtc *rtc, int from)
{
    for (int hour = from / 3600; hour < 24; hour++) {
        if (!alarm_fits(rtc, RTC_HOURS_ALARM, hour))
            continue;
        for (int minute = 0; minute < 60; minute++) {
            int start = (hour * 60 + minute) * 60; /* of the minute; from may be beyond */

            if (!alarm_fits(rtc, RTC_MINUTES_ALARM, minute))
                continue;
            for (int second = from > start ? from - start : 0; second < 60; second++)
                if (alarm_fits(rtc, RTC_SECONDS_ALARM, second))
                    return start + second;
        }
    }
    return -1;
}

/* The next moment after another at which the guest's alarm clock would ring. */
static int64_t next_ring(const struct rtc *rtc, int64_t after)
{
    int64_t guest = after / SECOND + rtc->offset;
    int64_t of_day = (guest % DAY + DAY) % DAY; /* the year 1 has negative seconds */
    int64_t midnight = guest - of_day;
    int found;

    if (rtc->bytes[RTC_B] & RTC_B_SET || !alarm_fits_any(rtc, RTC_SECONDS_ALARM, 60) ||
        !alarm_fits_any(rtc, RTC_MINUTES_ALARM, 60) || !alarm_fits_any(rtc, RTC_HOURS_ALARM, 24))
        return ALARM_NEVER;
    found = alarm_of_day(rtc, (int)of_day + 1);
    if (found < 0) { /* not today any more */
        midnight += DAY;
        found = alarm_of_day(rtc, 0);
    }
    return (midnight + found - rtc->offset) * SECOND;
}

/* [catch-up] */
/* Completes register C: which of the three have happened since it was looked at? */
static void rtc_catch_up(struct rtc *rtc)
{
    int64_t now = clock_now(&rtc->clock);

    if (next_beat(rtc, rtc->seen) <= now)
        rtc->bytes[RTC_C] |= RTC_C_PF;
    if (next_second(rtc, rtc->seen) <= now)
        rtc->bytes[RTC_C] |= RTC_C_UF;
    if (!(rtc->bytes[RTC_C] & RTC_C_AF) && next_ring(rtc, rtc->seen) <= now)
        rtc->bytes[RTC_C] |= RTC_C_AF;
    rtc->seen = now;
}

/* The flags of C that B enables. Each enable bit sits where its flag does. */
static uint8_t rtc_interrupting(const struct rtc *rtc)
{
    return rtc->bytes[RTC_C] & rtc->bytes[RTC_B] & (RTC_B_PIE | RTC_B_AIE | RTC_B_UIE);
}

/* Drives the line, and asks to be called when it would have to rise. */
static void rtc_update(struct rtc *rtc)
{
    uint8_t enabled = rtc->bytes[RTC_B];
    bool level = rtc_interrupting(rtc) != 0;
    int64_t when = ALARM_NEVER;

    if (rtc->level != level) {
        rtc->level = level;
        irq_set(&rtc->irq, level);
    }
    if (!level) {
        if (enabled & RTC_B_PIE)
            when = earlier(when, next_beat(rtc, rtc->seen));
        if (enabled & RTC_B_AIE)
            when = earlier(when, next_ring(rtc, rtc->seen));
        if (enabled & RTC_B_UIE)
            when = earlier(when, next_second(rtc, rtc->seen));
    }
    alarm_set(&rtc->alarm, when);
}
/* [/catch-up] */

void rtc_alarm(struct rtc *rtc)
{
    rtc_catch_up(rtc);
    rtc_update(rtc);
}

/* Setting SET stops the clock; clearing it lets the clock go on from there. */
static void rtc_write_b(struct rtc *rtc, uint8_t value)
{
    struct tm tm = rtc_calendar(rtc);
    bool was_set = rtc->bytes[RTC_B] & RTC_B_SET;

    rtc->bytes[RTC_B] = value;
    if (value & RTC_B_SET) {
        rtc->stopped = tm;
        rtc->bytes[RTC_B] &= ~RTC_B_UIE; /* no updates, and none will be asked for */
    } else if (was_set) {
        rtc_set(rtc, tm);
    }
}

/* Reading C says what has happened, and is the guest's promise to look after it. */
static uint8_t rtc_read_c(struct rtc *rtc)
{
    uint8_t value;

    rtc_catch_up(rtc);
    value = rtc->bytes[RTC_C];
    if (rtc_interrupting(rtc))
        value |= RTC_C_IRQF;
    rtc->bytes[RTC_C] = 0;
    rtc_update(rtc);
    return value;
}

uint64_t rtc_read(void *self, uint64_t reg, unsigned size)
{
    struct rtc *rtc = self;
    int64_t rest;

    (void)size;
    if (reg == 0)
        return 0xff; /* the index can only be written */
    if (is_time(rtc->index))
        return rtc_read_time(rtc, rtc->index);
    if (rtc->index == RTC_C)
        return rtc_read_c(rtc);
    if (rtc->index == RTC_A && !(rtc->bytes[RTC_B] & RTC_B_SET)) {
        host_seconds(rtc, &rest);
        return rtc->bytes[RTC_A] | (rest >= SECOND - RTC_UIP_NS ? RTC_A_UIP : 0);
    }
    return rtc->bytes[rtc->index];
}

static void rtc_write_data(struct rtc *rtc, uint8_t byte)
{
    if (is_time(rtc->index))
        rtc_write_time(rtc, rtc->index, byte);
    else if (rtc->index == RTC_A)
        rtc->bytes[RTC_A] = byte & ~RTC_A_UIP;
    else if (rtc->index == RTC_B)
        rtc_write_b(rtc, byte);
    else if (rtc->index != RTC_C && rtc->index != RTC_D) /* these two are read-only */
        rtc->bytes[rtc->index] = byte;
}

void rtc_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct rtc *rtc = self;

    (void)size;
    if (reg == 0) {
        rtc->index = (uint8_t)value & 0x7f; /* bit 7 masks NMIs, of which we send none */
        return;
    }
    rtc_catch_up(rtc); /* what happened before the write happened as it was */
    rtc_write_data(rtc, (uint8_t)value);
    rtc_update(rtc);
}

void rtc_init(struct rtc *rtc, struct clock clock, struct alarm alarm, struct irq_line irq)
{
    *rtc = (struct rtc){.clock = clock, .alarm = alarm, .irq = irq};
    rtc->bytes[RTC_A] = RTC_A_32KHZ | RTC_A_RATE;
    rtc->bytes[RTC_B] = RTC_B_24;
    rtc->bytes[RTC_D] = RTC_D_VRT;
    rtc->seen = clock_now(&rtc->clock);
}
