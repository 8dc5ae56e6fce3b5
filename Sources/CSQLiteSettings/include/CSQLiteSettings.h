// What of SQLite Swift can't call: functions with a variable number of arguments.

#ifndef CSQLITE_SETTINGS_H
#define CSQLITE_SETTINGS_H

/// Switches off SQLite's statistics of memory, whose one lock all connections of a process contend for. Takes effect
/// when called before anything else of SQLite; returns a code of SQLite.
int sqlite_settings_without_memory_statistics(void);

#endif
