//! What a password hash costs on this machine: its time, its memory, and what is wrong with either.

use std::thread;
use std::time::{Duration, Instant};

use super::hash_flags::written_kib;
use super::output::failed;
use crate::error::Problem;
use crate::guard::{HashCost, Hasher};

/// Hashes of one measurement, at most; an odd number, so that one is in the middle.
const HASHES: usize = 7;
/// The time after which no further hash of a measurement begins.
const ENOUGH: Duration = Duration::from_millis(400);

/// A hash that takes longer makes people wait, and logins few.
const DEAR: Duration = Duration::from_secs(1);
/// A hash that takes less leaves a good machine unused.
const CHEAP: Duration = Duration::from_millis(5);
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
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// Returns how many hashes a second `threads` threads compute together.
pub(super) fn per_second(hasher: &Hasher, threads: usize) -> Result<u64, Problem> {
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
    let per_thousand: Result<u64, Problem> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(rate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(0))).sum()
    });
    Ok(per_thousand? / 1000)
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

/// What is wrong with a cost, given the time of a hash, the number of threads that hash, and the
/// memory of the machine in KiB.
pub(super) fn warnings(
    cost: HashCost,
    took: Duration,
    threads: usize,
    memory_kib: Option<u64>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if took > DEAR {
        warnings.push(format!(
            "a password hash takes {} here, and a login waits for it; `lictor hash-cost` measures \
             what this machine can bear",
            shown(took)
        ));
    }
    if took < CHEAP {
        warnings.push(format!(
            "a password hash takes {} here, so this machine can bear a higher cost; `lictor \
             hash-cost` suggests one",
            shown(took)
        ));
    }
    let needed = threads as u64 * u64::from(cost.memory_kib());
    if let Some(memory) = memory_kib.filter(|memory| needed > memory / 4 * QUARTERS) {
        warnings.push(format!(
            "{threads} threads that hash need {} MiB, and there are {} MiB: lower --hash-threads or \
             --hash-memory, or the system may end lictor while many log in",
            needed / 1024,
            memory / 1024
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_dear_or_too_cheap_is_said() {
        let millis = Duration::from_millis;
        for (memory_kib, took, threads, machine, expected) in [
            (19_456, millis(20), 4, Some(1 << 20), &[][..]),
            (19_456, millis(1_000), 4, None, &[]),
            (262_144, millis(1_001), 1, None, &["takes 1.00 s here, and a login waits"]),
            (19_456, millis(4), 1, None, &["takes 4.0 ms here, so this machine can"]),
            // 76 MiB of 100, 76 of 102: beyond three quarters, and within.
            (
                19_456,
                millis(20),
                4,
                Some(100 << 10),
                &["4 threads that hash need 76 MiB, and there"],
            ),
            (19_456, millis(20), 4, Some(102 << 10), &[]),
            (65_536, millis(2_000), 64, Some(1 << 20), &["takes 2.00 s", "need 4096 MiB"]),
        ] {
            let cost = HashCost::new(memory_kib, 2).unwrap();
            let warnings = warnings(cost, took, threads, machine);
            assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
            for (warning, part) in warnings.iter().zip(expected) {
                assert!(warning.contains(part), "{warning}");
            }
        }
    }
}
