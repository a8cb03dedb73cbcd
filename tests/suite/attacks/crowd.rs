//! Thousands of connections from many IPs, and the times of a fresh client beside them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, Once};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::vitals::Target;
use crate::support::PATIENCE;

/// Connections from one IP; the server allows 1,024.
pub const PER_ADDRESS: usize = 1_000;
/// Descriptors that tests with few connections need.
const SPARE: usize = 1_500;

/// Descriptors of this process that other tests do not use.
pub struct Reserved(usize);

static TAKEN: Mutex<usize> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

impl Reserved {
    /// Waits until `count` descriptors are free.
    pub fn take(count: usize) -> Reserved {
        let room = room();
        assert!(count <= room, "the limit on open files is too low for {count}");
        let taken = TAKEN.lock().unwrap();
        *GIVEN_BACK.wait_while(taken, |taken| *taken + count > room).unwrap() += count;
        Reserved(count)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap() -= self.0;
        GIVEN_BACK.notify_all();
    }
}

/// Connections that this process can open, once its soft limit is the hard one.
pub fn room() -> usize {
    static RAISE: Once = Once::new();
    RAISE.call_once(|| {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    });
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(100_000);
    usize::try_from(limit).unwrap().saturating_sub(SPARE)
}

/// The IP that connection `number` of a crowd comes from.
pub fn address(number: usize) -> Ipv4Addr {
    let [_, _, c, d] = u32::try_from(2 + number / PER_ADDRESS).unwrap().to_be_bytes();
    Ipv4Addr::new(127, 0, c, d)
}

/// A connection from the IP `from`; with `buffer`, the size of its receive buffer.
pub fn connect_from(from: Ipv4Addr, to: SocketAddr, buffer: Option<usize>) -> TcpStream {
    let socket =
        socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    if let Some(size) = buffer {
        sockopt::set_socket_recv_buffer_size(&socket, size).unwrap();
    }
    bind(&socket, &SocketAddrV4::new(from, 0)).unwrap();
    connect(&socket, &to).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// `count` connections, with the descriptors that they need.
pub struct Crowd {
    pub members: Vec<Member>,
    _reserved: Reserved,
}

/// One connection of a crowd, and what it received.
pub struct Member {
    pub stream: TcpStream,
    pub received: Vec<u8>,
    /// When the server closed or reset it.
    pub ended: Option<Instant>,
}

impl Crowd {
    /// `first` keeps the IPs of crowds that come at the same time apart.
    pub fn gather(to: SocketAddr, first: usize, count: usize, buffer: Option<usize>) -> Crowd {
        let reserved = Reserved::take(count);
        let member = |number| Member {
            stream: connect_from(address(first + number), to, buffer),
            received: Vec::new(),
            ended: None,
        };
        Crowd { members: (0..count).map(member).collect(), _reserved: reserved }
    }

    /// Sends `bytes` on every connection.
    pub fn say(&mut self, bytes: &[u8]) {
        for member in &mut self.members {
            member.stream.write_all(bytes).unwrap();
        }
    }

    /// From now on no connection waits for the server.
    pub fn stop_waiting(&mut self) {
        for member in &mut self.members {
            member.stream.set_nonblocking(true).unwrap();
        }
    }

    pub fn all_ended(&self) -> bool {
        self.members.iter().all(|member| member.ended.is_some())
    }
}

impl Member {
    /// Sends as much as goes without waiting.
    pub fn send(&mut self, bytes: &[u8]) {
        if self.ended.is_none() {
            // The rest is not sent. `listen` sees whether the connection has ended.
            let _ = self.stream.write(bytes);
        }
    }

    /// Reads the bytes that are there, without waiting, and notes the end.
    pub fn listen(&mut self) {
        let mut buffer = [0; 4096];
        while self.ended.is_none() {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = Some(Instant::now()),
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.ended = Some(Instant::now()),
            }
        }
    }
}

/// Runs `attack`; meanwhile a fresh client sends requests one after the other, each on a new
/// connection. Returns the time of each.
pub fn meanwhile<T>(target: &Target, attack: impl FnOnce() -> T) -> (T, Vec<Duration>) {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut times = Vec::new();
            while !ended.load(Ordering::SeqCst) {
                times.push(target.fresh());
                std::thread::sleep(Duration::from_millis(10));
            }
            times
        });
        // The fresh client also ends when the attack fails.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let end = Over(&ended);
        let outcome = attack();
        drop(end);
        (outcome, watching.join().unwrap())
    })
}

/// Checks that the attack kept nobody waiting: whoever is shut out waits for the server's time limits,
/// which are 10 s. A loaded machine delays some requests by seconds, but not most of them.
pub fn assert_undisturbed(times: &[Duration]) {
    let mut times = times.to_vec();
    times.sort();
    let (half, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{} requests: half of them within {half:?}, all within {slowest:?}", times.len());
    assert!(half <= Duration::from_secs(1), "half of {} took longer than {half:?}", times.len());
}
