//! Memory, descriptors and answer times of a server, and what every attack must leave as it was.

use std::fs;
use std::net::SocketAddr;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::support::{PASSWORD, PATIENCE, Server, eventually};

/// The longest time until a fresh client has its answer after an attack. A loaded machine may need
/// several tries; a server that is harmed stays slow.
pub const FRESH: Duration = Duration::from_millis(250);
/// How much memory may have grown after an attack.
const GROWTH: u64 = 16 << 20;
/// Files that threads open when they first use the database.
const LATE_FILES: usize = 16;

/// A server to attack, and its state before.
pub struct Target {
    server: Server,
    before: Vitals,
}

impl Target {
    pub fn start(flags: &[&str]) -> Target {
        Target::of(Server::start(flags))
    }

    /// A server with one hashing thread that has hashed already, so its memory for that is there,
    /// and no test waits until it is given back; and without the throttle.
    pub fn start_warm() -> Target {
        Target::start_warm_with(&["--throttle", "off"])
    }

    pub fn start_warm_with(flags: &[&str]) -> Target {
        let server = Server::start(&[&["--hash-threads", "1"], flags].concat());
        assert_eq!(server.login("nobody", PASSWORD).status(), 401);
        Target::of(server)
    }

    pub fn of(server: Server) -> Target {
        for _ in 0..20 {
            assert_eq!(server.get("/api/health").status(), 200);
        }
        // Connections that are still open would be missing in the count later.
        eventually(|| open_connections(server.address) == 0);
        let before = Vitals::of(server.child.id());
        Target { server, before }
    }

    pub fn vitals(&self) -> Vitals {
        Vitals::of(self.server.child.id())
    }

    pub fn before(&self) -> &Vitals {
        &self.before
    }

    /// Open connections, counted by the server's descriptors.
    pub fn open(&self) -> usize {
        self.vitals().sockets.saturating_sub(self.before.sockets)
    }

    /// The time of a fresh client: connecting, sending a request, reading the answer.
    pub fn fresh(&self) -> Duration {
        let start = Instant::now();
        assert_eq!(self.server.get("/api/").status(), 200);
        start.elapsed()
    }

    /// The median of several fresh clients.
    pub fn median_of_fresh(&self, tries: usize) -> Duration {
        let mut times: Vec<Duration> = (0..tries).map(|_| self.fresh()).collect();
        times.sort();
        times[tries / 2]
    }

    /// What must hold after every attack.
    pub fn unharmed(&self) {
        eventually(|| self.median_of_fresh(5) <= FRESH);
        // Hashing threads keep their memory for 5 s, and a lingering close takes 2 s.
        let start = Instant::now();
        loop {
            let now = self.vitals();
            let memory = now.rss <= self.before.rss + GROWTH;
            let descriptors =
                now.sockets <= self.before.sockets && now.files <= self.before.files + LATE_FILES;
            if memory && descriptors {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "before {:?}, after {now:?}", self.before);
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = self.server.log();
        assert!(!log.contains("a bug in lictor"), "{log}");
    }

    pub fn into_server(self) -> Server {
        self.server
    }
}

impl Deref for Target {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// What the kernel reports about a process.
#[derive(Debug, Clone)]
pub struct Vitals {
    /// Bytes of memory now.
    pub rss: u64,
    /// The most bytes of memory so far.
    pub peak: u64,
    pub sockets: usize,
    /// All other descriptors.
    pub files: usize,
}

impl Vitals {
    pub fn of(pid: u32) -> Vitals {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the server lives");
        let size = |name: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(name));
            let kib = line.and_then(|line| line.split_whitespace().nth(1)).unwrap();
            kib.parse::<u64>().unwrap() * 1024
        };
        let (mut sockets, mut files) = (0, 0);
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).expect("the server lives") {
            // A descriptor that is closed meanwhile does not count.
            let Ok(link) = entry.and_then(|entry| fs::read_link(entry.path())) else { continue };
            match link.to_string_lossy().starts_with("socket:") {
                true => sockets += 1,
                false => files += 1,
            }
        }
        Vitals { rss: size("VmRSS:"), peak: size("VmHWM:"), sockets, files }
    }
}

/// The connections that the server at this address has accepted and not closed.
fn open_connections(at: SocketAddr) -> usize {
    let [a, b, c, d] = match at {
        SocketAddr::V4(v4) => v4.ip().octets(),
        SocketAddr::V6(_) => panic!("the tests use IPv4"),
    };
    let local = format!("{d:02X}{c:02X}{b:02X}{a:02X}:{:04X}", at.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let fields = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    // State 0A listens; a socket that no process has open has the inode 0.
    fields.filter(|one| one[1] == local && one[3] != "0A" && one[9] != "0").count()
}

/// Runs a test that the server cuts short on a slow machine, because connections and locks have time
/// limits. If it fails after more than `limit`, it runs again, up to three times.
pub fn in_time(limit: Duration, test: impl Fn()) {
    for _ in 0..2 {
        let begun = Instant::now();
        match catch_unwind(AssertUnwindSafe(&test)) {
            Ok(()) => return,
            Err(fault) if begun.elapsed() < limit => resume_unwind(fault),
            Err(_) => println!("failed after {:?}; once more", begun.elapsed()),
        }
    }
    test();
}

/// The share of one core that a process uses over `time`.
pub fn load(pid: u32, time: Duration) -> f64 {
    let ticks = || -> u64 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the server lives");
        // After the name, which may hold any character: the state is field 3, the times are 14 and
        // 15.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let (before, start) = (ticks(), Instant::now());
    std::thread::sleep(time);
    // Linux reports hundredths of a second, whatever its own clock is.
    (ticks() - before) as f64 / 100.0 / start.elapsed().as_secs_f64()
}
