//! The memory that this process may use: that of the machine, or less if a control group
//! (`MemoryMax=` of systemd, a container) limits it.

use std::fs;
use std::path::Path;

/// Maximum depth of control groups that are looked at.
const MAX_DEPTH: usize = 32;

/// Returns the memory in KiB; `None` if the system does not tell.
pub(super) fn memory_kib() -> Option<u64> {
    let read = |path: &Path| fs::read_to_string(path).ok();
    memory(Path::new("/sys/fs/cgroup"), read)
}

/// The same, with the files that `read` returns and the control groups mounted at `root`.
fn memory(root: &Path, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let total = read(Path::new("/proc/meminfo")).and_then(|text| total_of(&text));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    // Version 2 has one line, `0::/path`; version 1 one for each controller.
    let of_group = groups.lines().find_map(|line| line.strip_prefix("0::/"));
    let of_memory = groups.lines().find_map(|line| line.split_once(":memory:/")).map(|pair| pair.1);
    let limits = [
        (of_group, root.to_owned(), "memory.max"),
        (of_memory, root.join("memory"), "memory.limit_in_bytes"),
    ];
    let limits = limits.iter().filter_map(|(path, root, file)| path.map(|path| (path, root, file)));
    let limits = limits.flat_map(|(path, root, file)| {
        let group = root.join(path);
        // In a container the path may be that of the host; the root is always there.
        let groups = group.ancestors().take_while(|group| group.starts_with(root));
        let files = groups.take(MAX_DEPTH).map(|group| group.join(file)).collect::<Vec<_>>();
        files.into_iter().filter_map(|file| read(&file)?.trim().parse::<u64>().ok())
    });
    limits.map(|bytes| bytes / 1024).chain(total).min()
}

/// The value of `MemTotal` in KiB.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_counts() {
        const TOTAL: (&str, &str) = ("/proc/meminfo", "MemTotal:  2048000 kB\nMemFree: 1 kB\n");
        const UNIT: (&str, &str) = ("/proc/self/cgroup", "0::/system.slice/lictor.service\n");
        for (files, expected) in [
            (&[][..], None),
            (&[TOTAL], Some(2_048_000)),
            (&[TOTAL, UNIT], Some(2_048_000)),
            (
                &[TOTAL, UNIT, ("/c/system.slice/lictor.service/memory.max", "max\n")],
                Some(2_048_000),
            ),
            (
                &[
                    TOTAL,
                    UNIT,
                    ("/c/system.slice/lictor.service/memory.max", "268435456\n"),
                    ("/c/system.slice/memory.max", "max\n"),
                ],
                Some(262_144),
            ),
            // A slice that is smaller than its unit, and the root of a container.
            (&[TOTAL, UNIT, ("/c/system.slice/memory.max", "134217728\n")], Some(131_072)),
            (&[TOTAL, UNIT, ("/c/memory.max", "67108864\n")], Some(65_536)),
            (
                &[
                    TOTAL,
                    ("/proc/self/cgroup", "5:cpu:/x\n4:memory:/box\n"),
                    ("/c/memory/box/memory.limit_in_bytes", "536870912\n"),
                ],
                Some(524_288),
            ),
            // Version 1 writes no limit as a very large number.
            (
                &[
                    TOTAL,
                    ("/proc/self/cgroup", "4:memory:/\n"),
                    ("/c/memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ],
                Some(2_048_000),
            ),
            (&[("/proc/meminfo", "MemTotal: many kB\n")], None),
        ] {
            let read = |path: &Path| {
                let found = files.iter().find(|(name, _)| Path::new(name) == path);
                found.map(|(_, text)| (*text).to_owned())
            };
            assert_eq!(memory(Path::new("/c"), read), expected, "{files:?}");
        }
    }
}
