/*
 * commands.h: between the files that know what packets mean.
 *
 * Each of these functions is one packet's: at is what follows its name, with a zero behind
 * its length bytes. It prints the answer and returns true; false: there is none, now.
 */
#ifndef CHAPTER_07_GDB_COMMANDS_H
#define CHAPTER_07_GDB_COMMANDS_H

#include "07-linux-boot/gdb/stub.h"

/* Errors, by Linux's numbers. */
#define GDB_INVALID "E16" /* EINVAL: this makes no sense */
#define GDB_FAULT   "E0e" /* EFAULT: there is no memory */
#define GDB_BUSY    "E10" /* EBUSY: not while the guest runs */
#define GDB_FULL    "E1c" /* ENOSPC */

/* Bytes that an answer in hex has room for. */
#define GDB_READ_MAX ((PACKET_MAX - 4) / 2)

/* Threads that are no number. */
#define THREAD_ALL (-1)
#define THREAD_ANY 0

/* ---- commands_state.c ---- */

bool gdb_read_registers(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_read_register(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_write_registers(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_write_register(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_read_memory(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_write_memory(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_write_binary(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_set_breakpoint(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_remove_breakpoint(struct gdb_stub *s, const char *at, size_t length, FILE *out);

/* All registers of the current processor. False: it does not take them. */
void gdb_get_registers(const struct gdb_stub *s, struct registers *registers);
bool gdb_set_registers(const struct gdb_stub *s, const struct registers *registers);

/* ---- commands_run.c ---- */

bool gdb_cont(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_cont_signal(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_step(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_step_signal(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_which_actions(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_each_goes(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_detach(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_kill_quietly(struct gdb_stub *s, const char *at, size_t length, FILE *out);
bool gdb_kill_answered(struct gdb_stub *s, const char *at, size_t length, FILE *out);

/* ---- commands.c ---- */

/* Prints the answer; true. */
bool gdb_say(FILE *out, const char *text);

/* THREAD_ALL, THREAD_ANY, or 1 to the number of processors. False: neither. */
bool gdb_take_thread(const struct gdb_stub *s, const char **at, int *thread);

/* "ADDRESS,LENGTH", and what ends it. */
bool gdb_take_range(const char **at, uint64_t *address, uint64_t *length, char end);

#endif
