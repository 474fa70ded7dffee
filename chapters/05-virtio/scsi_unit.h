/*
 * scsi_unit.h: what every SCSI logical unit has, whatever it is: a table of commands, a
 * name, a medium, and news that it must tell first.
 *
 *     struct scsi_unit                    scsi_disk, scsi_cdrom
 *     INQUIRY, REQUEST SENSE, ...         READ, WRITE, READ TOC, ...
 *     unit attention, missing medium      each a row in the class's table
 *
 * Unit attention: after a reset, or when the medium has changed, the next command is
 * refused, so that no initiator works on with what it believed before. [SAM5, "Unit
 * attention conditions"]
 */
#ifndef CHAPTER_05_SCSI_UNIT_H
#define CHAPTER_05_SCSI_UNIT_H

#include "05-virtio/scsi.h"

#define SCSI_SERIAL_MAX 36u

struct scsi_unit;

/* When a command is refused before its function is called. */
enum scsi_needs {
    SCSI_NEEDS_MEDIUM = 1,  /* no medium */
    SCSI_NEEDS_WRITING = 2, /* the medium is write protected */
    SCSI_NEEDS_NOTHING = 4, /* never, not even for a unit attention */
};

/* A command that a unit knows. */
struct scsi_row {
    uint8_t operation; /* code; CDB[0] */
    uint8_t size;      /* of its CDB */
    uint8_t needs;
    void (*run)(struct scsi_unit *unit, struct scsi_command *c);
};

/* A page of the unit's description: INQUIRY's (EVPD) or MODE SENSE's. */
struct scsi_page {
    uint8_t code;
    void (*put)(const struct scsi_unit *unit, struct scsi_reply *r); /* behind the header */
};

/* The kind of unit; static and constant. Tables end with a row of zeros. */
struct scsi_class {
    uint8_t type;     /* [SPC4, 6.6.2 "Standard INQUIRY data"], peripheral device type */
    bool removable;   /* its medium is */
    const char *name; /* product identification, 16 bytes at most */
    const struct scsi_row *rows;
    const struct scsi_page *vital_pages; /* beyond those of every unit; ascending */
    const struct scsi_page *mode_pages;  /* ascending */
    uint8_t (*mode_parameter)(const struct scsi_unit *unit); /* device-specific */
    void (*reset)(struct scsi_unit *unit);                   /* NULL: nothing to forget */
};

struct scsi_unit {
    const struct scsi_class *class;
    struct disk *medium; /* not owned; NULL: there is none */
    uint32_t block_size; /* that the guest sees */
    bool tray_open;      /* the medium is there, but not in the drive */
    enum scsi_sense attention;
    char serial[SCSI_SERIAL_MAX + 1];
};

/*
 * serial is what the guest tells one unit from another by, cut to SCSI_SERIAL_MAX bytes;
 * not empty. The unit starts with a unit attention, as after power on. Its medium may leave
 * requests unfinished until scsi_unit_commit().
 */
void scsi_unit_init(struct scsi_unit *unit, const struct scsi_class *class, struct disk *medium,
                    uint32_t block_size, const char *serial);

/* Carries a command out; it ends, now or later, with c->done(). */
void scsi_unit_run(struct scsi_unit *unit, struct scsi_command *c);

/* No more commands for now: starts what they want of the disk, ends what has finished. */
void scsi_unit_commit(struct scsi_unit *unit);

/* Waits until the unit has finished all commands. */
void scsi_unit_wait(struct scsi_unit *unit);

/* A reset of the unit; the next command hears of it. It has no command under way. */
void scsi_unit_reset(struct scsi_unit *unit, enum scsi_sense attention);

/* Puts a medium into the unit; NULL: takes it out, when no command is under way. */
void scsi_unit_set_medium(struct scsi_unit *unit, struct disk *medium);

/* The medium, if it is in the drive, and its blocks. */
struct disk *scsi_unit_medium(const struct scsi_unit *unit);
uint64_t scsi_unit_blocks(const struct scsi_unit *unit);

/* INQUIRY (scsi_inquiry.c) and MODE SENSE (scsi_mode.c), which every unit has. */
void scsi_inquiry(struct scsi_unit *unit, struct scsi_command *c);
void scsi_mode_sense_6(struct scsi_unit *unit, struct scsi_command *c);
void scsi_mode_sense_10(struct scsi_unit *unit, struct scsi_command *c);

/* Standard INQUIRY data that says: there could be a unit here, but there is none. */
void scsi_inquiry_nobody(struct scsi_command *c);

#endif
