/* Preloaded into lictor: for the first seconds, both clocks are an hour and a bit behind. So the
 * program believes that its clock has been steady for an hour, and begins to delete expired rows. */

#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BEHIND 3700

int clock_gettime(clockid_t clock, struct timespec *now) {
    static time_t until;
    /* A thread that reads both clocks, the monotonic one first, sees the same of both. */
    static __thread int decided, behind;
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (failed || (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)) return failed;
    if (clock == CLOCK_MONOTONIC || !decided) {
        struct timespec monotonic;
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &monotonic);
        if (until == 0) until = monotonic.tv_sec + atoi(getenv("HOUR_PASSES_AFTER"));
        decided = 1;
        behind = monotonic.tv_sec < until;
    }
    if (behind) now->tv_sec -= BEHIND;
    return 0;
}
