//! `lictor hash-cost`: measures password hashes on this machine, and suggests a cost for a time.

use std::time::Duration;

use super::args::Args;
use super::flag::{Row, flag, group};
use super::hash_flags::{self, written_kib};
use super::hash_timing::{described, measure, per_thousand_seconds, shown};
use super::kind::{Kind, Value};
use super::machine;
use super::output::{failed, print};
use super::parse::duration;
use crate::error::Problem;
use crate::guard::{HashCost, Hasher, MAX_KIB_PASSES, MAX_MEMORY_KIB, MAX_PASSES};
use crate::net::Settings;

/// The longest time to aim at. Nobody waits longer for a login.
const MAX_TARGET: Duration = Duration::from_secs(10);
/// The memory of all threads, in MiB, above which the limit of the systemd unit (2 GiB) may be in the
/// way.
const MUCH_MEMORY: u64 = 1024;
/// The share of the memory that a suggestion takes at most: a quarter.
const SHARE: u64 = 4;
/// How often a suggestion is measured and corrected: a hash of much memory is slower than its size
/// says.
const CORRECTIONS: usize = 2;

pub(super) const FLAGS: &[Row] = &[
    flag("--target TIME", TARGET)
        .default("100ms")
        .help("The time that a hash should take: 100ms, 250ms, 1s"),
    flag("--hash-threads N", Kind::Number(1, 1024))
        .env("LICTOR_HASH_THREADS")
        .help("Threads that hash passwords [default: the number of cores]"),
    group(hash_flags::KERNEL),
];

/// The time to aim at.
const TARGET: Kind = Kind::Parsed(|text| target(text).map(Value::Duration));

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let (target, kernel) = (args.value("--target"), hash_flags::kernel(args));
    let cores = Settings::default().slow_workers;
    let threads = args.get::<u16>("--hash-threads").map_or(cores, usize::from);
    // More than run at once would only take memory.
    let busy = threads.min(cores);
    let hasher = |cost| Hasher::with(busy, cost, kernel).map_err(failed);
    let least = hasher(HashCost::FLOOR)?;
    let floor = measure(&least)?;
    print(&format!(
        "one hash takes {} here at the least cost ({}), computed by {}",
        shown(floor),
        described(HashCost::FLOOR),
        least.kernel()
    ))?;
    drop(least);
    let room = machine::memory_kib().map(|memory| memory / SHARE / threads as u64);
    let memory_kib = room.and_then(|room| u32::try_from(room).ok()).unwrap_or(MAX_MEMORY_KIB);
    let work = scaled(HashCost::FLOOR.kib_passes(), target, floor);
    let mut cost = suggest(work, memory_kib)?;
    let mut took = if cost == HashCost::FLOOR { floor } else { measure(&hasher(cost)?)? };
    for _ in 0..CORRECTIONS {
        let work = scaled(cost.kib_passes(), target, took);
        let better = suggest(work, memory_kib)?;
        if better == cost {
            break;
        }
        cost = better;
        took = measure(&hasher(cost)?)?;
    }
    if let Some(why) = missed(cost, suggest(u64::MAX, memory_kib)?, took, target) {
        print(&why)?;
    }
    let logins = per_thousand_seconds(&hasher(cost)?, busy)?;
    print(&shown_suggestion(cost, took, logins, threads))
}

/// Parses the time to aim at.
fn target(text: &str) -> Result<Duration, String> {
    let target = duration(text)?;
    match target.is_zero() || target > MAX_TARGET {
        true => Err("it must be more than nothing, and at most 10s".into()),
        false => Ok(target),
    }
}

/// Memory in KiB times passes that take `target`, where `work` took `took`.
fn scaled(work: u64, target: Duration, took: Duration) -> u64 {
    let nanos = took.as_nanos().max(1);
    u64::try_from(u128::from(work) * target.as_nanos() / nanos).unwrap_or(u64::MAX)
}

/// Returns a cost of about so much memory times passes, within the limits: with two passes and as
/// much memory as there is room for, since memory is what makes an attacker's hardware dear; then
/// with more passes.
fn suggest(work: u64, room_kib: u32) -> Result<HashCost, Problem> {
    let floor = HashCost::FLOOR;
    let work = work.clamp(floor.kib_passes(), MAX_KIB_PASSES);
    let room = u64::from(room_kib.clamp(floor.memory_kib(), MAX_MEMORY_KIB));
    let passes = work.div_ceil(room).clamp(floor.passes().into(), MAX_PASSES.into());
    // Whole MiB are easier to read and to write.
    let memory = (work / passes).min(room) / 1024 * 1024;
    let memory = memory.max(floor.memory_kib().into());
    let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
    HashCost::new(number(memory), number(passes))
}

/// Why the suggestion is not what was aimed at, if a limit stands in the way; `most` is the highest
/// cost within the limits.
fn missed(cost: HashCost, most: HashCost, took: Duration, target: Duration) -> Option<String> {
    let target_text = shown(target);
    if cost == HashCost::FLOOR && took > target {
        return Some(format!("{target_text} would be less than the least cost allows"));
    }
    // Whole MiB and noise make up less than a fifth.
    (cost == most && took < target / 5 * 4).then(|| {
        format!(
            "{target_text} cannot be reached: a hash takes at most 256 MiB, {MAX_PASSES} passes, and \
             1 GiB of memory times passes; all threads together take at most a quarter of this \
             machine's memory"
        )
    })
}

/// A number of logins a second, given that of a thousand seconds.
fn shown_rate(per_thousand_seconds: u64) -> String {
    match per_thousand_seconds / 1000 {
        few @ 0..10 => format!("{few}.{}", per_thousand_seconds / 100 % 10),
        many => many.to_string(),
    }
}

/// The suggestion as people read it; `logins` is how many there can be in a thousand seconds.
fn shown_suggestion(cost: HashCost, took: Duration, logins: u64, threads: usize) -> String {
    let (memory, passes) = (written_kib(cost.memory_kib()), cost.passes());
    let all = threads as u64 * u64::from(cost.memory_kib()) / 1024;
    let queue = Settings::default().slow_queue as u64;
    let limit = match all > MUCH_MEMORY {
        true => {
            "\nThe systemd unit allows 2 GiB in all (MemoryMax=): raise it, or lower --hash-threads."
        }
        false => "",
    };
    format!(
        "\nflags         --hash-memory {memory} --hash-passes {passes}\n\
         environment   LICTOR_HASH_MEMORY={memory}\n              LICTOR_HASH_PASSES={passes}\n\
         one hash      {}\n\
         logins        {} a second at most, with all cores\n\
         queue         {queue} waiting logins take {}\n\
         memory        {all} MiB while {threads} {} hash\n\n\
         The server replaces weaker hashes at the next login of each user.{limit}",
        shown(took),
        shown_rate(logins),
        shown(Duration::from_millis(queue * 1_000_000 / logins.max(1))),
        if threads == 1 { "thread" } else { "threads" },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_stay_within_the_limits() {
        for (work, room_kib, memory_kib, passes) in [
            (0, 0, 19_456, 2),
            (38_912, u32::MAX, 19_456, 2),
            (131_072, u32::MAX, 65_536, 2),
            (131_072 + 2_047, u32::MAX, 65_536, 2),
            (u64::MAX, u32::MAX, 262_144, 4),
            (1 << 20, 65_536, 65_536, 16),
            // Little room: more passes.
            (393_216, 100_000, 98_304, 4),
            (131_072, 0, 19_456, 7),
            (u64::MAX, 0, 19_456, 16),
        ] {
            let cost = suggest(work, room_kib).unwrap();
            assert_eq!(
                (cost.memory_kib(), cost.passes()),
                (memory_kib, passes),
                "{work} {room_kib}"
            );
        }
    }

    #[test]
    fn work_is_scaled_without_overflow() {
        let millis = Duration::from_millis;
        assert_eq!(scaled(38_912, millis(100), millis(10)), 389_120);
        assert_eq!(scaled(38_912, millis(1), millis(10)), 3_891);
        assert_eq!(scaled(u64::MAX, MAX_TARGET, Duration::ZERO), u64::MAX);
    }

    #[test]
    fn a_target_that_a_limit_forbids_is_said() {
        let (millis, floor) = (Duration::from_millis, HashCost::FLOOR);
        let most = suggest(u64::MAX, u32::MAX).unwrap();
        assert!(missed(floor, most, millis(20), millis(10)).unwrap().contains("least cost"));
        assert_eq!(missed(floor, most, millis(20), millis(22)), None);
        assert_eq!(missed(most, most, millis(500), millis(600)), None);
        let why = missed(most, most, millis(500), millis(700)).unwrap();
        assert!(why.starts_with("700.0 ms cannot be reached: a hash takes at most"), "{why}");
        // Within the limits: the measurement was disturbed.
        let less = suggest(MAX_KIB_PASSES / 2, u32::MAX).unwrap();
        assert_eq!(missed(less, most, millis(500), millis(700)), None);
        // No room for more.
        let most = suggest(u64::MAX, 0).unwrap();
        assert!(missed(most, most, millis(60), millis(100)).is_some());
    }

    #[test]
    fn a_suggestion_says_what_follows_from_it() {
        let most = suggest(u64::MAX, u32::MAX).unwrap();
        let text = shown_suggestion(most, Duration::from_millis(500), 3_960, 4);
        assert!(text.contains("logins        3.9 a second"), "{text}");
        assert!(text.contains("queue         256 waiting logins take 64.64 s\n"), "{text}");
        assert!(
            text.contains("memory        1024 MiB while 4 threads") && !text.contains("MemoryMax")
        );
        let text = shown_suggestion(most, Duration::from_millis(500), 0, 5);
        assert!(
            text.contains("logins        0.0 a second") && text.contains("MemoryMax="),
            "{text}"
        );
        assert_eq!((shown_rate(9_999), shown_rate(10_999)), ("9.9".into(), "10".into()));
    }

    #[test]
    fn a_target_is_a_time() {
        for (text, good) in [
            ("100ms", true),
            ("10s", true),
            ("1", true),
            ("0", false),
            ("11s", false),
            ("x", false),
        ] {
            assert_eq!(target(text).is_ok(), good, "{text}");
        }
    }
}
