#include "CSQLiteSettings.h"
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

const void *sqlite_wal_index(void *connection) {
    enum { region_size = 32768 };
    sqlite3_file *file = 0;
    void volatile *region = 0;
    if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file) return 0;
    const sqlite3_io_methods *methods = file->pMethods;
    if (!methods || methods->iVersion < 2 || !methods->xShmMap) return 0;
    if (methods->xShmMap(file, 0, region_size, 0, &region) != SQLITE_OK) return 0;
    return (const void *)region;
}

void sqlite_wal_index_copy(const void *index, struct sqlite_wal_index_header *header) {
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(header, index, sizeof *header);
    atomic_thread_fence(memory_order_seq_cst);
}

int sqlite_wal_index_is(const void *index, const struct sqlite_wal_index_header *header) {
    atomic_thread_fence(memory_order_seq_cst);
    return memcmp(header, index, sizeof *header) == 0;
}

int sqlite_settings_without_memory_statistics(void) {
    sqlite3_config(SQLITE_CONFIG_URI, 1);
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int sqlite_keep_log_on_close(void *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}
