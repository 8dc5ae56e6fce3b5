#define _GNU_SOURCE
#include "FileWatch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char watched[PATH_MAX];
static char failing_start[PATH_MAX], failing_end[PATH_MAX];
static int failing_error;
static char *text;
static size_t size;
static FILE *lines;

bool file_watch_works(void) { return true; }

void file_watch_begin(const char *folder) {
    pthread_mutex_lock(&lock);
    snprintf(watched, sizeof watched, "%s", folder);
    failing_error = 0;
    lines = open_memstream(&text, &size);
    pthread_mutex_unlock(&lock);
}

void file_watch_fail(const char *start, const char *end, int error) {
    pthread_mutex_lock(&lock);
    snprintf(failing_start, sizeof failing_start, "%s", start);
    snprintf(failing_end, sizeof failing_end, "%s", end);
    failing_error = error;
    pthread_mutex_unlock(&lock);
}

char *file_watch_end(void) {
    pthread_mutex_lock(&lock);
    fclose(lines);
    lines = NULL;
    pthread_mutex_unlock(&lock);
    return text;
}

/// The path below the folder that is watched, or NULL.
static const char *below(const char *path) {
    size_t length = strlen(watched);
    if (strncmp(path, watched, length) != 0) return NULL;
    if (path[length] == '\0') return ".";
    return path[length] == '/' ? path + length + 1 : NULL;
}

/// Writes a line down. Returns the error with which the call is to fail, or 0. The lock is held.
static int note(const char *call, const char *path, const char *rest) {
    char line[3 * PATH_MAX];
    snprintf(line, sizeof line, "%s %s", call, path);
    size_t length = strlen(line), end = strlen(failing_end);
    if (failing_error != 0 && strncmp(line, failing_start, strlen(failing_start)) == 0 && length >= end &&
        strcmp(line + length - end, failing_end) == 0) {
        return failing_error;
    }
    fprintf(lines, "%s %s\n", line, rest);
    return 0;
}

int fsync(int descriptor) {
    char link[64], path[PATH_MAX], rest[32];
    struct stat status;
    int error = 0;
    pthread_mutex_lock(&lock);
    if (lines != NULL) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length > 0 && fstat(descriptor, &status) == 0) {
            path[length] = '\0';
            snprintf(rest, sizeof rest, "%lld", S_ISREG(status.st_mode) ? (long long)status.st_size : 0);
            const char *name = below(path);
            if (name != NULL) error = note("fsync", name, rest);
        }
    }
    pthread_mutex_unlock(&lock);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return (int)syscall(SYS_fsync, descriptor);
}

/// The path of a name in a folder that is open, or of a path that needs none.
static void whole(int folder, const char *name, char *path, size_t size) {
    char link[64];
    path[0] = '\0';
    if (name[0] != '/' && folder != AT_FDCWD) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, path, size - 2);
        if (length > 0) snprintf(path + length, size - (size_t)length, "/");
    }
    strncat(path, name, size - strlen(path) - 1);
}

int renameat(int from, const char *old, int into, const char *new) {
    char path[PATH_MAX], target[PATH_MAX];
    int error = 0;
    pthread_mutex_lock(&lock);
    if (lines != NULL) {
        whole(from, old, path, sizeof path);
        whole(into, new, target, sizeof target);
        const char *name = below(path), *to = below(target);
        if (name != NULL) error = note("rename", name, to != NULL ? to : target);
    }
    pthread_mutex_unlock(&lock);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from, old, into, new, 0);
}

int rename(const char *old, const char *new) { return renameat(AT_FDCWD, old, AT_FDCWD, new); }

#else

bool file_watch_works(void) { return false; }
void file_watch_begin(const char *folder) {}
void file_watch_fail(const char *start, const char *end, int error) {}
char *file_watch_end(void) { return strdup(""); }

#endif
