/* robust.h: locks whose owner died, told to who waits for them. */
#ifndef CHAPTER_06_LINUX_ROBUST_H
#define CHAPTER_06_LINUX_ROBUST_H

struct thread;

/*
 * The thread ends: marks each lock on its robust list that it still holds as its dead
 * owner's, and wakes one who waits for it. The list is the guest's, so it may be
 * circular, endless or nonsense: a bounded walk that gives up where nothing is mapped.
 */
void robust_list_exit(struct thread *thread);

#endif
