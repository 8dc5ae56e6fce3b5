// The wal-index is mapped into memory. When that file is cut short, as by "cp" over it, the next touch ends a process that has
// it mapped with SIGBUS. Here such a touch finds a page of zeros, and is counted.

#include "CSQLiteSettings.h"
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { places = 4096 };

/// What SQLite has mapped. A mapping for which there is no place left is not looked after.
static struct {
    _Atomic(uintptr_t) start;
    _Atomic(size_t) length;
} mappings[places];

static atomic_uint lost;
static struct sigaction former;
static uintptr_t page_size;

unsigned sqlite_lost_mappings(void) { return atomic_load_explicit(&lost, memory_order_acquire); }

static void *map(void *wanted, size_t length, int protection, int flags, int descriptor, off_t offset) {
    void *start = mmap(wanted, length, protection, flags, descriptor, offset);
    if (start == MAP_FAILED) return start;
    for (int place = 0; place < places; place++) {
        uintptr_t vacant = 0;
        if (!atomic_compare_exchange_strong(&mappings[place].start, &vacant, (uintptr_t)start)) continue;
        atomic_store(&mappings[place].length, length);
        break;
    }
    return start;
}

static int unmap(void *start, size_t length) {
    for (int place = 0; place < places; place++) {
        if (atomic_load(&mappings[place].start) != (uintptr_t)start) continue;
        atomic_store(&mappings[place].length, 0);
        atomic_store(&mappings[place].start, 0);
        break;
    }
    return munmap(start, length);
}

/// Everything here may be called in a signal handler.
static void replace_page(int number, siginfo_t *information, void *context) {
    (void)context;
    uintptr_t touched = (uintptr_t)information->si_addr;
    for (int place = 0; place < places; place++) {
        uintptr_t start = atomic_load(&mappings[place].start);
        if (!start || touched < start || touched - start >= atomic_load(&mappings[place].length)) continue;
        void *page = (void *)(touched / page_size * page_size);
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        if (mmap(page, page_size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) break;
        atomic_fetch_add(&lost, 1);
        return;
    }
    // Not ours: the instruction is tried again, and meets the handler that was here before.
    sigaction(number, &former, 0);
}

int sqlite_survive_lost_mappings(void) {
    static atomic_int is_done;
    if (atomic_exchange(&is_done, 1)) return 0;
    sqlite3_vfs *files = sqlite3_vfs_find(0);
    if (!files || files->iVersion < 3 || !files->xSetSystemCall) return -1;
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (files->xSetSystemCall(files, "mmap", (sqlite3_syscall_ptr)map) != SQLITE_OK) return -1;
    if (files->xSetSystemCall(files, "munmap", (sqlite3_syscall_ptr)unmap) != SQLITE_OK) return -1;
    struct sigaction action = {.sa_sigaction = replace_page, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, &former);
}
