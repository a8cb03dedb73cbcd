//! The memory that this process may use: that of the machine, or less if a control group
//! (`MemoryMax=` of systemd, a container) limits it. The machine's is asked of the kernel: the unit
//! hides /proc/meminfo.

use std::fs;
use std::path::Path;

/// Maximum depth of control groups that are looked at.
const MAX_DEPTH: usize = 32;

/// Returns the memory in KiB; `None` if the system does not tell.
pub(super) fn memory_kib() -> Option<u64> {
    let read = |path: &Path| fs::read_to_string(path).ok();
    memory(machine_kib(), Path::new("/sys/fs/cgroup"), read)
}

/// The memory of the machine.
fn machine_kib() -> Option<u64> {
    let info = rustix::system::sysinfo();
    let kib = info.totalram.saturating_mul(u64::from(info.mem_unit)) / 1024;
    Some(kib).filter(|&kib| kib > 0)
}

/// The least of `total` and the limits, with the files that `read` returns and the control groups
/// mounted at `root`.
fn memory(total: Option<u64>, root: &Path, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_counts() {
        const UNIT: (&str, &str) = ("/proc/self/cgroup", "0::/system.slice/lictor.service\n");
        for (files, expected) in [
            (&[][..], Some(2_048_000)),
            (&[UNIT], Some(2_048_000)),
            (&[UNIT, ("/c/system.slice/lictor.service/memory.max", "max\n")], Some(2_048_000)),
            (
                &[
                    UNIT,
                    ("/c/system.slice/lictor.service/memory.max", "268435456\n"),
                    ("/c/system.slice/memory.max", "max\n"),
                ],
                Some(262_144),
            ),
            // A slice that is smaller than its unit, and the root of a container.
            (&[UNIT, ("/c/system.slice/memory.max", "134217728\n")], Some(131_072)),
            (&[UNIT, ("/c/memory.max", "67108864\n")], Some(65_536)),
            (
                &[
                    ("/proc/self/cgroup", "5:cpu:/x\n4:memory:/box\n"),
                    ("/c/memory/box/memory.limit_in_bytes", "536870912\n"),
                ],
                Some(524_288),
            ),
            // Version 1 writes no limit as a very large number.
            (
                &[
                    ("/proc/self/cgroup", "4:memory:/\n"),
                    ("/c/memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ],
                Some(2_048_000),
            ),
        ] {
            let read = |path: &Path| {
                let found = files.iter().find(|(name, _)| Path::new(name) == path);
                found.map(|(_, text)| (*text).to_owned())
            };
            let found = memory(Some(2_048_000), Path::new("/c"), read);
            assert_eq!(found, expected, "{files:?}");
        }
        assert_eq!(memory(None, Path::new("/c"), |_| None), None);
    }

    #[test]
    fn the_kernel_tells_what_meminfo_does() {
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
        let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap();
        let expected = total.trim().strip_suffix("kB").unwrap().trim().parse().ok();
        assert_eq!(machine_kib(), expected);
    }
}
