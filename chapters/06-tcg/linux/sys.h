/* sys.h: the functions behind those rows of syscall_rows.h that have one. See syscall.h. */
#ifndef CHAPTER_06_LINUX_SYS_H
#define CHAPTER_06_LINUX_SYS_H

#include "06-tcg/linux/syscall.h"

#define HOST(...)
#define HOST_AS(...)
#define OURS(number, name, ...)                SYSCALL_FUNCTION(name);
#define OURS_AS(number, name, args, ours, ...) SYSCALL_FUNCTION(ours);
#include "06-tcg/linux/syscall_rows.h"
#undef HOST
#undef HOST_AS
#undef OURS
#undef OURS_AS

#endif
