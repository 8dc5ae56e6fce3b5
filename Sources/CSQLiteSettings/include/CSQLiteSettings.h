// What of SQLite Swift can't call: functions with a variable number of arguments, memory shared with other processes, and
// the locks that SQLite holds on its files.

#ifndef CSQLITE_SETTINGS_H
#define CSQLITE_SETTINGS_H

/// Switches off SQLite's statistics of memory, whose one lock all connections of a process contend for, and lets the name
/// of a database be a URI. Takes effect when called before anything else of SQLite; returns a code of SQLite.
int sqlite_settings_without_memory_statistics(void);

/// Closed, the connection (a `sqlite3 *`) will neither write its log into the database nor remove it.
int sqlite_keep_log_on_close(void *connection);

/// The header of the wal-index, both copies of it. Every commit changes it.
struct sqlite_wal_index_header {
    unsigned char octets[96];
};

/// The first region of the wal-index of a connection's main database (a `sqlite3 *`), as SQLite has mapped it; NULL when
/// there is none. To be called, and the region read, only while the connection is in a read transaction in WAL mode: till
/// then it stays where it is. What stands in it: https://www.sqlite.org/walformat.html, section 2.
const void *sqlite_wal_index(void *connection);

/// Copies the header.
void sqlite_wal_index_copy(const void *index, struct sqlite_wal_index_header *header);

/// Whether the header is still as it was copied.
int sqlite_wal_index_is(const void *index, const struct sqlite_wal_index_header *header);

/// Which other processes have a directory open, as their locks tell.
struct sqlite_lock_holders {
    /// Whether the database is in use, and by which process; 0 where that can't be told.
    int uses_database;
    long database_holder;
    /// Whether that process lets nobody else in.
    int is_exclusive;
    /// The same of the wal-index.
    int uses_index;
    long index_holder;
    /// Whether the database says that it is in WAL mode.
    int is_wal;
};

/// Tells who else has the files open. They are opened for it, and closing them drops every lock that this process has on
/// them: to be called only while it has none.
///
/// Returns 0, or -1 when the database can't be opened. A wal-index that is not there is not in use.
int sqlite_find_lock_holders(const char *database, const char *index, struct sqlite_lock_holders *holders);

/// From here on a file that is cut short while SQLite has it mapped ends no process: what is missing reads as zeros, and
/// `sqlite_lost_mappings` counts. To be called before the first connection; returns 0 when it could be done.
int sqlite_survive_lost_mappings(void);

/// How many pages of mapped files have been lost in this process. What was read while the number changed is of no use.
unsigned sqlite_lost_mappings(void);

#endif
