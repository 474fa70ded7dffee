/*
 * term.h: the user's terminal, made raw and given back.
 *
 * In raw mode each key reaches the guest as it is typed: no line editing, no
 * echo, and Ctrl-C is a character, not a signal. Whatever ends the program
 * (exit, die, a fatal signal) the terminal gets its old settings back; only
 * SIGKILL cannot be helped.
 */
#ifndef COMMON_TERM_H
#define COMMON_TERM_H

/* Makes the terminal at fd raw until exit. Does nothing if fd is no terminal. */
void term_raw(int fd);

/* Gives the old settings back now. Safe in a signal handler, and twice. */
void term_restore(void);

#endif
