/* Delays every fsync and fdatasync of a program that it is preloaded into, by SLOW_SYNC_US
 * microseconds after the real one: a disk that is slow to sync, and otherwise as it is. If
 * SLOW_SYNC_WHILE names a file, only while that file is there. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int delayed(int result) {
    const char *text = getenv("SLOW_SYNC_US"), *file = getenv("SLOW_SYNC_WHILE");
    if (text == NULL || (file != NULL && access(file, F_OK) != 0)) {
        return result;
    }
    long delay = atol(text);
    struct timespec left = {delay / 1000000, delay % 1000000 * 1000};
    while (delay > 0 && nanosleep(&left, &left) != 0) {
    }
    return result;
}

int fsync(int file) { return delayed((int)syscall(SYS_fsync, file)); }

int fdatasync(int file) { return delayed((int)syscall(SYS_fdatasync, file)); }
