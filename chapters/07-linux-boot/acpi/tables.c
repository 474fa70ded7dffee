/*
 * tables.c: see tables.h. Open at hand: [ACPI, 5.2 "ACPI System Description Tables"].
 *
 * A table is a header with a checksum over all of it, then fields at fixed places.
 * The structs below are those of the specification, byte for byte; fields that are
 * zero in every machine of ours have no line of their own in the initializers.
 *
 * Left out on purpose: MCFG (configuration goes through ports), HPET, SRAT, and all
 * that describes what we do not have.
 */
#include "07-linux-boot/acpi/tables.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "04-devices/reset.h"
#include "07-linux-boot/acpi/aml.h"
#include "07-linux-boot/acpi/dsdt.h"
#include "07-linux-boot/acpi/pm.h"
#include "07-linux-boot/layout.h"
#include "common/bits.h"

#define ROOM (LAYOUT_RESET - LAYOUT_FIRMWARE)

/* [ACPI, 5.2.6 "System Description Table Header"] */
struct __attribute__((packed)) header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
};
_Static_assert(sizeof(struct header) == 36, "table header");

/* [ACPI, 5.2.5.3 "Root System Description Pointer (RSDP) Structure"] */
struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes, all that version 1 had */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum; /* of everything */
    uint8_t reserved[3];
};
_Static_assert(offsetof(struct rsdp, length) == 20, "RSDP of version 1");
_Static_assert(sizeof(struct rsdp) == 36, "RSDP");

struct __attribute__((packed)) xsdt {
    struct header header;
    uint64_t tables[2];
};

/* [ACPI, 5.2.3.2 "Generic Address Structure"] */
struct __attribute__((packed)) address {
    uint8_t space, width, offset, access;
    uint64_t at;
};
enum { SPACE_IO = 1, ACCESS_BYTE = 1, ACCESS_WORD = 2 };

/* [ACPI, 5.2.9 "Fixed ACPI Description Table (FADT)"], version 6.3 */
struct __attribute__((packed)) fadt {
    struct header header;
    uint32_t facs, dsdt;
    uint8_t reserved0, profile;
    uint16_t sci;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
    uint32_t gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    uint8_t gpe0_length, gpe1_length, gpe1_base, cstate_control;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_arch;
    uint8_t reserved1;
    uint32_t flags;
    struct address reset;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_version;
    uint64_t x_facs, x_dsdt;
    struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
        x_pm_timer, x_gpe0, x_gpe1, sleep_control, sleep_status;
    uint64_t hypervisor;
};
_Static_assert(offsetof(struct fadt, flags) == 112, "FADT flags");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "FADT X_DSDT");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "FADT SLEEP_CONTROL_REG");
_Static_assert(sizeof(struct fadt) == 276, "FADT");

/* [ACPI, 5.2.9, table "Fixed ACPI Description Table Fixed Feature Flags"] */
#define FADT_WBINVD     BIT(0)
#define FADT_PROC_C1    BIT(2)
#define FADT_SLP_BUTTON BIT(5) /* set: there is no such fixed button */
#define FADT_RESET_REG  BIT(10)
#define FADT_HW_REDUCED BIT(20)
#define FADT_C2_ABSENT  0xffffu
#define FADT_C3_ABSENT  0xffffu

/* [ACPI, 5.2.9.3 "IA-PC Boot Architecture Flags"] */
#define BOOT_LEGACY_DEVICES BIT(0)
#define BOOT_8042           BIT(1)
#define BOOT_NO_VGA         BIT(2)
#define BOOT_NO_CMOS_RTC    BIT(5)

/* [ACPI, 5.2.10 "Firmware ACPI Control Structure (FACS)"] */
struct __attribute__((packed)) facs {
    char signature[4];
    uint32_t length;
    uint8_t rest[56];
};
_Static_assert(sizeof(struct facs) == 64, "FACS");

/* [ACPI, 5.2.12 "Multiple APIC Description Table (MADT)"], and its entries */
struct __attribute__((packed)) madt {
    struct header header;
    uint32_t local_apic, flags;
};
#define MADT_PCAT_COMPAT BIT(0) /* there are two 8259s as well */

struct __attribute__((packed)) madt_processor {
    uint8_t type, length, uid, apic_id;
    uint32_t flags;
};
struct __attribute__((packed)) madt_ioapic {
    uint8_t type, length, id, reserved;
    uint32_t address, gsi;
};
struct __attribute__((packed)) madt_override {
    uint8_t type, length, bus, line;
    uint32_t gsi;
    uint16_t flags;
};
struct __attribute__((packed)) madt_nmi {
    uint8_t type, length, uid;
    uint16_t flags;
    uint8_t lint;
};
enum { MADT_PROCESSOR = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_NMI = 4 };
enum { MADT_ENABLED = 1, MADT_LEVEL_HIGH = 0xd, MADT_ALL_PROCESSORS = 0xff };

/* Where the next table goes, and the guest's memory behind it. */
struct place {
    uint8_t *bytes; /* of the BIOS area */
    size_t size;    /* used so far */
};

static uint8_t checksum(const void *table, size_t length)
{
    const uint8_t *bytes = table;
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return (uint8_t)-sum; /* with it all bytes add up to zero */
}

static gpa_t place(struct place *area, const void *table, size_t length, size_t alignment)
{
    size_t at = (area->size + alignment - 1) & ~(alignment - 1);

    assert(at + length <= ROOM);
    memcpy(area->bytes + at, table, length);
    area->size = at + length;
    return LAYOUT_FIRMWARE + at;
}

static struct header header(const char *signature, uint8_t revision)
{
    struct header h = {.revision = revision,
                       .oem_id = {'R', 'I', 'N', 'G', '-', '1'},
                       .oem_table_id = {'R', 'I', 'N', 'G', '-', '1', ' ', ' '},
                       .oem_revision = 1,
                       .creator_id = {'R', 'I', 'N', 'G'},
                       .creator_revision = 1};

    memcpy(h.signature, signature, sizeof h.signature);
    return h;
}

/* Fills in length and checksum, and puts the table into the guest's memory. */
static gpa_t place_table(struct place *area, void *table, size_t length)
{
    struct header *h = table;

    h->length = (uint32_t)length;
    h->checksum = 0;
    h->checksum = checksum(table, length);
    return place(area, table, length, 16);
}

static gpa_t write_dsdt(struct place *area, const struct acpi_board *board)
{
    uint8_t bytes[16 * KIB];
    struct header h = header("DSDT", 2);
    struct aml aml = {.bytes = bytes, .size = sizeof h, .room = sizeof bytes};

    dsdt_write(&aml, board);
    memcpy(bytes, &h, sizeof h);
    return place_table(area, bytes, aml.size);
}

static gpa_t write_facs(struct place *area)
{
    struct facs facs = {.signature = {'F', 'A', 'C', 'S'}, .length = sizeof facs};

    return place(area, &facs, sizeof facs, 64);
}

static struct address port(uint64_t at, uint8_t bytes)
{
    return (struct address){.space = SPACE_IO,
                            .width = (uint8_t)(bytes * 8),
                            .access = bytes == 1 ? ACCESS_BYTE : ACCESS_WORD,
                            .at = at};
}

/* The registers of pm.h, at the places that a machine with fixed hardware has. */
static void fixed_hardware(struct fadt *fadt, gpa_t facs)
{
    fadt->facs = (uint32_t)facs;
    fadt->sci = ACPI_SCI;
    fadt->pm1a_event = ACPI_PM_PORTS + ACPI_PM1_STATUS;
    fadt->pm1a_control = ACPI_PM_PORTS + ACPI_PM1_CONTROL;
    fadt->pm1_event_length = 4;
    fadt->pm1_control_length = 2;
    fadt->x_pm1a_event = port(fadt->pm1a_event, 4);
    fadt->x_pm1a_control = port(fadt->pm1a_control, 2);
}

static void reduced_hardware(struct fadt *fadt)
{
    fadt->flags |= FADT_HW_REDUCED;
    fadt->sleep_control = port(ACPI_PM_PORTS + ACPI_SLEEP_CONTROL, 1);
    fadt->sleep_status = port(ACPI_PM_PORTS + ACPI_SLEEP_STATUS, 1);
}

static gpa_t write_fadt(struct place *area, const struct acpi_board *board, gpa_t dsdt)
{
    struct fadt fadt = {
        .header = header("FACP", 6),
        .minor_version = 3,
        .dsdt = (uint32_t)dsdt,
        .x_dsdt = dsdt,
        .c2_latency = FADT_C2_ABSENT,
        .c3_latency = FADT_C3_ABSENT,
        .century = board->clock ? 0x32 : 0,
        .boot_arch = board->screen ? 0 : BOOT_NO_VGA,
        .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_RESET_REG,
        .reset = port(RESET_CONTROL + 1, 1),
        .reset_value = 0x06,
    };

    if (board->serial || board->keyboard)
        fadt.boot_arch |= BOOT_LEGACY_DEVICES;
    if (board->keyboard)
        fadt.boot_arch |= BOOT_8042;
    if (!board->clock)
        fadt.boot_arch |= BOOT_NO_CMOS_RTC;
    if (board->lean)
        reduced_hardware(&fadt);
    else
        fixed_hardware(&fadt, write_facs(area));
    return place_table(area, &fadt, sizeof fadt);
}

/* [madt] */
/*
 * Processors and interrupt controllers. Two wires are not where their number says:
 * the timer, ISA line 0, arrives at input 2 of the I/O APIC, and ACPI's own
 * interrupt is level-triggered. NMI comes in on every processor's LINT1.
 */
static gpa_t write_madt(struct place *area, const struct acpi_board *board)
{
    uint8_t bytes[sizeof(struct madt) + ACPI_PROCESSORS_MAX * sizeof(struct madt_processor) + 64];
    struct aml table = {.bytes = bytes, .room = sizeof bytes};
    struct madt madt = {.header = header("APIC", 5),
                        .local_apic = LAYOUT_LAPIC,
                        .flags = board->lean ? 0 : MADT_PCAT_COMPAT};
    struct madt_ioapic ioapic = {MADT_IOAPIC, sizeof ioapic, 0, 0, LAYOUT_IOAPIC, 0};
    struct madt_override timer = {MADT_OVERRIDE, sizeof timer, 0, 0, 2, 0};
    struct madt_override sci = {MADT_OVERRIDE, sizeof sci, 0, ACPI_SCI, ACPI_SCI, MADT_LEVEL_HIGH};
    struct madt_nmi nmi = {MADT_NMI, sizeof nmi, MADT_ALL_PROCESSORS, 0, 1};

    assert(board->processors >= 1 && board->processors <= ACPI_PROCESSORS_MAX);
    aml_bytes(&table, &madt, sizeof madt);
    for (unsigned i = 0; i < board->processors; i++) {
        uint8_t id = board->apic_ids ? board->apic_ids[i] : (uint8_t)i;
        struct madt_processor processor = {MADT_PROCESSOR, sizeof processor, (uint8_t)i, id,
                                           MADT_ENABLED};

        aml_bytes(&table, &processor, sizeof processor);
    }
    aml_bytes(&table, &ioapic, sizeof ioapic);
    if (!board->lean) {
        aml_bytes(&table, &timer, sizeof timer);
        aml_bytes(&table, &sci, sizeof sci);
    }
    aml_bytes(&table, &nmi, sizeof nmi);
    return place_table(area, bytes, table.size);
}
/* [/madt] */

gpa_t acpi_write(const struct guest_memory *memory, const struct acpi_board *board)
{
    struct place area = {.bytes = guest_ptr(memory, LAYOUT_FIRMWARE, ROOM)};
    struct rsdp rsdp = {.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
                        .oem_id = {'R', 'I', 'N', 'G', '-', '1'},
                        .revision = 2,
                        .length = sizeof rsdp};
    struct xsdt xsdt = {.header = header("XSDT", 1)};
    gpa_t dsdt;

    assert(area.bytes);
    area.size = sizeof rsdp; /* first, where a search finds it at once */
    dsdt = write_dsdt(&area, board);
    xsdt.tables[0] = write_fadt(&area, board, dsdt);
    xsdt.tables[1] = write_madt(&area, board);
    rsdp.xsdt = place_table(&area, &xsdt, sizeof xsdt);
    rsdp.checksum = checksum(&rsdp, offsetof(struct rsdp, length));
    rsdp.extended_checksum = checksum(&rsdp, sizeof rsdp);
    memcpy(area.bytes, &rsdp, sizeof rsdp);
    return LAYOUT_FIRMWARE;
}
