//! What a password hash costs on this machine: its time, its memory, and what is wrong with either.

use std::thread;
use std::time::{Duration, Instant};

use super::hash_flags::written_kib;
use super::output::failed;
use crate::error::Problem;
use crate::guard::{HashCost, HashKernel, Hasher};

/// Hashes of one measurement, at most; an odd number, so that one is in the middle.
const HASHES: usize = 7;
/// The time after which no further hash of a measurement begins.
const ENOUGH: Duration = Duration::from_millis(400);

/// Above this, `check` warns: people wait, and few can log in at once.
const SLOW: Duration = Duration::from_secs(1);
/// Below this, `check` notes that the machine can bear a higher cost.
const FAST: Duration = Duration::from_millis(5);
/// The share of the memory that hashing may take, in quarters: the rest is for everything else.
const QUARTERS: u64 = 3;

/// Returns the median time of a hash.
pub(super) fn measure(hasher: &Hasher) -> Result<Duration, Problem> {
    // The first one maps the memory.
    hasher.verify_nothing().map_err(failed)?;
    let begun = Instant::now();
    let mut times = Vec::with_capacity(HASHES);
    while times.is_empty() || (times.len() < HASHES && begun.elapsed() < ENOUGH) {
        let begun = Instant::now();
        hasher.verify_nothing().map_err(failed)?;
        let took = begun.elapsed();
        times.insert(times.partition_point(|other| *other < took), took);
    }
    Ok(times[times.len() / 2])
}

/// Returns how many hashes `threads` threads compute together in a thousand seconds.
pub(super) fn per_thousand_seconds(hasher: &Hasher, threads: usize) -> Result<u64, Problem> {
    let rate = || {
        hasher.verify_nothing().map_err(failed)?;
        let (begun, mut count) = (Instant::now(), 0_u64);
        while count == 0 || begun.elapsed() < ENOUGH {
            hasher.verify_nothing().map_err(failed)?;
            count += 1;
        }
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        Ok(count * 1_000_000_000 / micros)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(rate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(0))).sum()
    })
}

/// A time as people read it: `8.7 ms`, `1.25 s`.
pub(super) fn shown(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{}.{} ms", time.subsec_millis(), time.subsec_micros() / 100 % 10),
        seconds => format!("{seconds}.{:02} s", time.subsec_millis() / 10),
    }
}

/// A cost as people read it.
pub(super) fn described(cost: HashCost) -> String {
    format!("{}, {} passes", written_kib(cost.memory_kib()), cost.passes())
}

/// The row of `check`: a cost, and the time that a hash takes.
pub(super) fn measured(cost: HashCost, took: Duration) -> String {
    let note = match took < FAST {
        true => "; this machine can bear more, see `lictor hash-cost`",
        false => "",
    };
    format!("{}: {} here{note}", described(cost), shown(took))
}

/// Warns of a hash that takes long.
pub(super) fn time_warning(took: Duration) -> Option<String> {
    (took > SLOW).then(|| {
        format!(
            "a password hash takes {} here, and a login waits for it; `lictor hash-cost` measures \
             what this machine can bear",
            shown(took)
        )
    })
}

/// Returns how many of the threads that hash, one for each core, there is memory for, given the KiB
/// that this process may use; at least one.
pub(super) fn fitting_threads(cores: usize, cost: HashCost, memory_kib: Option<u64>) -> usize {
    let room = memory_kib.map(|memory| memory / 4 * QUARTERS / u64::from(cost.memory_kib()));
    let room = room.map_or(cores, |room| usize::try_from(room).unwrap_or(cores));
    room.min(cores).max(1)
}

/// Warns if the threads that hash could need more memory than there is room for, given the memory in
/// KiB that this process may use.
pub(super) fn memory_warning(
    cost: HashCost,
    threads: usize,
    memory_kib: Option<u64>,
) -> Option<String> {
    let needed = threads as u64 * u64::from(cost.memory_kib());
    let memory = memory_kib.filter(|memory| needed > memory / 4 * QUARTERS)?;
    Some(format!(
        "{threads} threads that hash need {} MiB, and there are {} MiB: lower --hash-threads or \
         --hash-memory, or raise the limit (MemoryMax=) if there is one; otherwise the system may \
         end lictor while many log in",
        needed / 1024,
        memory / 1024
    ))
}

/// Warns if the fast kernel was to be used and the portable one is.
pub(super) fn kernel_warning(asked: HashKernel, is_portable: bool) -> Option<String> {
    let expected = asked == HashKernel::Auto && cfg!(target_pointer_width = "64");
    (expected && is_portable).then(|| {
        "the fast hash kernel failed its self-test on this machine, so hashes take longer; the log \
         says why, and --hash-kernel portable does without the test"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_hash_is_warned_of_and_a_short_one_noted() {
        let millis = Duration::from_millis;
        for (took, row, warning) in [
            (millis(4), "19MiB, 2 passes: 4.0 ms here; this machine can bear more", None),
            (millis(5), "19MiB, 2 passes: 5.0 ms here", None),
            (millis(1_000), "19MiB, 2 passes: 1.00 s here", None),
            (millis(1_010), "19MiB, 2 passes: 1.01 s here", Some("takes 1.01 s here, and a login")),
        ] {
            let measured = measured(HashCost::FLOOR, took);
            assert!(measured.starts_with(row), "{measured}");
            assert_eq!(measured.len() > row.len(), took < FAST, "{measured}");
            let found = time_warning(took);
            assert_eq!(found.is_some(), warning.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(warning.unwrap_or_default()), "{took:?}");
        }
    }

    #[test]
    fn more_memory_than_there_is_room_for_is_warned_of() {
        for (memory_kib, threads, machine, warning) in [
            (19_456, 4, None, None),
            (19_456, 4, Some(1 << 20), None),
            // 76 MiB of 100, 76 of 102: beyond three quarters, and within.
            (
                19_456,
                4,
                Some(100 << 10),
                Some("4 threads that hash need 76 MiB, and there are 100"),
            ),
            (19_456, 4, Some(102 << 10), None),
            (65_536, 64, Some(1 << 20), Some("need 4096 MiB")),
        ] {
            let cost = HashCost::new(memory_kib, 2).unwrap();
            let found = memory_warning(cost, threads, machine);
            assert_eq!(found.is_some(), warning.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(warning.unwrap_or_default()), "{machine:?}");
        }
    }

    #[test]
    fn as_many_threads_hash_as_there_is_memory_for() {
        for (cores, memory_kib, memory, threads) in [
            (8, 19_456, None, 8),
            (8, 19_456, Some(2 << 20), 8),
            (8, 19_456, Some(64 << 10), 2),
            (2, 65_536, Some(128 << 10), 1),
            (2, 65_536, Some(0), 1),
        ] {
            let cost = HashCost::new(memory_kib, 2).unwrap();
            assert_eq!(fitting_threads(cores, cost, memory), threads, "{memory:?}");
        }
    }

    #[test]
    fn a_kernel_that_failed_its_self_test_is_warned_of() {
        let fast = cfg!(target_pointer_width = "64");
        for (asked, is_portable, warned) in [
            (HashKernel::Auto, false, false),
            (HashKernel::Auto, true, fast),
            (HashKernel::Portable, true, false),
        ] {
            let warning = kernel_warning(asked, is_portable);
            assert_eq!(warning.is_some(), warned, "{asked:?} {is_portable}");
        }
    }
}
