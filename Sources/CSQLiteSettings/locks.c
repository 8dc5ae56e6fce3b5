// Where SQLite puts its locks: on the database from PENDING_BYTE on (os.h), on the wal-index in the octets behind its header
// (https://www.sqlite.org/walformat.html, section 2.3), of which the last is held by all who have it open.

#include "CSQLiteSettings.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { shared_first = 0x40000000 + 2, shared_size = 510, index_users = 128, versions_at = 18, wal_version = 2 };

/// Finds a lock of another process that keeps us from having these octets alone.
static int find(int descriptor, off_t start, off_t length, struct flock *lock) {
    memset(lock, 0, sizeof *lock);
    lock->l_type = F_WRLCK;
    lock->l_whence = SEEK_SET;
    lock->l_start = start;
    lock->l_len = length;
    return fcntl(descriptor, F_GETLK, lock) == 0 && lock->l_type != F_UNLCK;
}

int sqlite_find_lock_holders(const char *database, const char *index, struct sqlite_lock_holders *holders) {
    struct flock lock;
    unsigned char versions[2] = {0, 0};
    memset(holders, 0, sizeof *holders);
    int descriptor = open(database, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    if (find(descriptor, shared_first, shared_size, &lock)) {
        holders->uses_database = 1;
        holders->database_holder = lock.l_pid > 0 ? lock.l_pid : 0;
        holders->is_exclusive = lock.l_type == F_WRLCK;
    }
    holders->is_wal = pread(descriptor, versions, sizeof versions, versions_at) == sizeof versions
        && versions[0] == wal_version && versions[1] == wal_version;
    close(descriptor);
    descriptor = open(index, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    if (find(descriptor, index_users, 1, &lock)) {
        holders->uses_index = 1;
        holders->index_holder = lock.l_pid > 0 ? lock.l_pid : 0;
    }
    close(descriptor);
    return 0;
}
