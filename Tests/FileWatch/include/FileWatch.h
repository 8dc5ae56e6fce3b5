// What this process does with files below a folder: fsync(2) and rename(2) or renameat(2), in their order. For tests of what is on the disk
// before a message is acknowledged. The functions stand before those of the C library, so it works where programs are linked
// as on Linux.

#ifndef FILE_WATCH_H
#define FILE_WATCH_H

#include <stdbool.h>

/// Whether calls are seen here.
bool file_watch_works(void);

/// Writes down the calls from now on whose first path is below a folder. One watch at a time.
void file_watch_begin(const char *_Nonnull folder);

/// While it watches: lets a call fail, with a number of errno, when its line begins with `start` and ends with `end`.
void file_watch_fail(const char *_Nonnull start, const char *_Nonnull end, int error);

/// Ends the watch. The lines are "fsync PATH SIZE" and "rename PATH TO", with paths below the folder; free(3) them.
char *_Nonnull file_watch_end(void);

#endif
