// What of SQLite Swift can't call: functions with a variable number of arguments, and memory shared with other processes.

#ifndef CSQLITE_SETTINGS_H
#define CSQLITE_SETTINGS_H

/// Switches off SQLite's statistics of memory, whose one lock all connections of a process contend for. Takes effect
/// when called before anything else of SQLite; returns a code of SQLite.
int sqlite_settings_without_memory_statistics(void);

/// The header of the wal-index, both copies of it. Every commit changes it.
struct sqlite_wal_index_header {
    unsigned char octets[96];
};

/// The first region of the wal-index of a connection's main database (a `sqlite3 *`), as SQLite has mapped it; NULL when
/// there is none. To be called, and the region read, only while the connection is in a read transaction: till then it
/// stays where it is. What stands in it: https://www.sqlite.org/walformat.html, section 2.
const void *sqlite_wal_index(void *connection);

/// Copies the header.
void sqlite_wal_index_copy(const void *index, struct sqlite_wal_index_header *header);

/// Whether the header is still as it was copied.
int sqlite_wal_index_is(const void *index, const struct sqlite_wal_index_header *header);

#endif
