//! Figures of the process, by the names that all of Prometheus' client libraries give them. What the
//! system does not tell is left out.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use super::text::{Page, seconds};

/// Nanoseconds in a tick of /proc/self/stat: on Linux, USER_HZ is 100 on every architecture that this
/// program is built for.
const TICK: u64 = 10_000_000;

/// Returns the time in seconds since 1970, with milliseconds.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:03}", since.as_secs(), since.subsec_millis())
}

/// Writes the figures of this process, which started at `started`.
pub(super) fn write(page: &mut Page, started: &str) {
    let bytes = |name| memory(name).map(|bytes| bytes.to_string());
    // One of the open files is that of the listing.
    let open = fs::read_dir("/proc/self/fd").map(|list| (list.count() - 1).to_string());
    for (name, kind, help, value) in [
        (
            "process_start_time_seconds",
            "gauge",
            "When the process started, in seconds since 1970.",
            Some(started.to_owned()),
        ),
        (
            "process_cpu_seconds_total",
            "counter",
            "User and system CPU time in seconds.",
            cpu_nanos().map(seconds),
        ),
        ("process_resident_memory_bytes", "gauge", "Resident memory.", bytes("VmRSS:")),
        ("process_virtual_memory_bytes", "gauge", "Virtual memory.", bytes("VmSize:")),
        ("process_open_fds", "gauge", "Open file descriptors.", open.ok()),
        ("process_max_fds", "gauge", "The limit on open file descriptors.", max_fds()),
    ] {
        if let Some(value) = value {
            page.one(name, kind, help, &value);
        }
    }
}

/// User and system time. The name of the program, in parentheses, may hold spaces.
fn cpu_nanos() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) * TICK)
}

/// A size in /proc/self/status.
fn memory(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// The soft limit on open files.
fn max_fds() -> Option<String> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_ascii_whitespace().next()?;
    soft.bytes().all(|b| b.is_ascii_digit()).then(|| soft.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_all_figures() {
        let mut page = Page::default();
        write(&mut page, &now());
        let value = |name: &str| -> f64 {
            let line = page.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name}: {}", page.0)).parse().unwrap()
        };
        assert!(value("process_start_time_seconds") > 1.6e9);
        assert!(value("process_cpu_seconds_total") >= 0.0);
        assert!(value("process_resident_memory_bytes") > 1e5);
        assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
    }
}
