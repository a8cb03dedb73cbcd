/* Preloaded into lictor: until two seconds after the thread that sweeps has begun, both clocks are an
 * hour and a bit behind. So it believes that the clock has been steady for an hour, and begins to
 * delete expired rows. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#define BEHIND 3700

static long (*original)(long, ...);

__attribute__((constructor)) static void find(void) {
    original = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static time_t until;
    /* A thread that reads both clocks, the monotonic one first, sees the same of both. */
    static __thread int decided, behind;
    if (!original) find();
    int failed = (int)original(SYS_clock_gettime, clock, now);
    if (failed || (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)) return failed;
    if (clock == CLOCK_MONOTONIC || !decided) {
        struct timespec monotonic;
        original(SYS_clock_gettime, CLOCK_MONOTONIC, &monotonic);
        char thread[16] = "";
        if (until == 0) original(SYS_prctl, PR_GET_NAME, thread);
        if (!strcmp(thread, "lictor-sweep")) until = monotonic.tv_sec + 2;
        decided = 1;
        behind = until == 0 || monotonic.tv_sec < until;
    }
    if (behind) now->tv_sec -= BEHIND;
    return 0;
}

/* A wait that began before the hour passed ends soon after it. */
long syscall(long number, long a, long operation, long c, long timeout, long e, long f) {
    struct timespec soon;
    if (!original) find();
    if (number == SYS_futex && timeout && (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
        original(SYS_clock_gettime, CLOCK_MONOTONIC, &soon);
        soon.tv_sec += 1;
        if (((struct timespec *)timeout)->tv_sec > soon.tv_sec) timeout = (long)&soon;
    }
    return original(number, a, operation, c, timeout, e, f);
}
