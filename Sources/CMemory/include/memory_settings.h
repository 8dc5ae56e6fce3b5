#ifndef MEMORY_SETTINGS_H
#define MEMORY_SETTINGS_H

/// Small pieces of memory that are freed are joined to their neighbours then and there, in this process, from now on. glibc
/// keeps them apart otherwise and joins all of them at some later call: after a list of 100,000 members a thread stands still
/// for tens of milliseconds. Nothing where the C library is another.
void memory_join_at_once(void);

#endif
