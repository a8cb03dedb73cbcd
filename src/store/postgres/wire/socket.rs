//! A TCP or Unix socket whose reads and writes all end at one deadline, which no byte extends. Knows
//! no message.
//!
//! The kernel's timeout is shorter than what is left until the deadline, and stays as it is from one
//! read to the next: a read costs one system call, and a look at the clock. When the kernel's timeout
//! ends a wait before the deadline, the wait goes on with a new one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

/// Seconds without traffic after which the kernel asks whether the server is still there; a firewall
/// may forget a connection without traffic.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Time between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Questions without an answer after which the connection is lost.
const KEEPALIVE_COUNT: u32 = 3;
/// The shortest timeout that is set.
const SHORTEST: Duration = Duration::from_millis(1);

/// A socket with a deadline.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Arc<Stream>,
    deadline: Instant,
    /// The timeouts that the kernel has for reads and for writes; zero: none yet.
    reading: Duration,
    writing: Duration,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Ends the connection of a socket from another thread. Does not keep the socket open.
#[derive(Debug, Clone)]
pub(in crate::store::postgres) struct Breaker(Weak<Stream>);

impl Breaker {
    /// Shuts the socket down: a thread that waits for it gets an error at once.
    pub(in crate::store::postgres) fn cut(&self) {
        let Some(stream) = self.0.upgrade() else { return };
        // It fails if the connection has ended already.
        let _ = match &*stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Socket {
    /// Connects to a host name or an IP address. Of several IP addresses of a name each gets an
    /// equal part of the time that is left.
    pub(super) fn tcp(host: &str, port: u16, deadline: Instant) -> io::Result<Socket> {
        let addresses = resolve(host, port, deadline)?;
        let mut failure = io::Error::other("the host has no IP address");
        for (tried, address) in addresses.iter().enumerate() {
            let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            match TcpStream::connect_timeout(address, left(deadline)? / others) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    sockopt::set_socket_keepalive(&stream, true)?;
                    sockopt::set_tcp_keepidle(&stream, KEEPALIVE_IDLE)?;
                    sockopt::set_tcp_keepintvl(&stream, KEEPALIVE_INTERVAL)?;
                    sockopt::set_tcp_keepcnt(&stream, KEEPALIVE_COUNT)?;
                    return Ok(Socket::new(Stream::Tcp(stream), deadline));
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Connects to the Unix socket of a server in its folder.
    pub(super) fn unix(folder: &Path, port: u16, deadline: Instant) -> io::Result<Socket> {
        let address = SocketAddrUnix::new(folder.join(format!(".s.PGSQL.{port}")))?;
        let socket = rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        // The connection waits as long as a write may, if the server's queue is full.
        sockopt::set_socket_timeout(&socket, Timeout::Send, Some(left(deadline)?))?;
        rustix::net::connect(&socket, &address)?;
        Ok(Socket::new(Stream::Unix(UnixStream::from(socket)), deadline))
    }

    fn new(stream: Stream, deadline: Instant) -> Socket {
        Socket {
            stream: Arc::new(stream),
            deadline,
            reading: Duration::ZERO,
            writing: Duration::ZERO,
        }
    }

    pub(super) fn breaker(&self) -> Breaker {
        Breaker(Arc::downgrade(&self.stream))
    }

    /// Sets the deadline of the reads and writes that follow.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Sets the kernel's timeout for reads, if it would end after the deadline or `renew` asks.
    fn arm_reading(&mut self, renew: bool) -> io::Result<()> {
        let left = left(self.deadline)?;
        if renew || self.reading.is_zero() || self.reading > left {
            let timeout = timeout(left);
            match &*self.stream {
                Stream::Tcp(stream) => stream.set_read_timeout(Some(timeout))?,
                Stream::Unix(stream) => stream.set_read_timeout(Some(timeout))?,
            }
            self.reading = timeout;
        }
        Ok(())
    }

    /// The same for writes.
    fn arm_writing(&mut self, renew: bool) -> io::Result<()> {
        let left = left(self.deadline)?;
        if renew || self.writing.is_zero() || self.writing > left {
            let timeout = timeout(left);
            match &*self.stream {
                Stream::Tcp(stream) => stream.set_write_timeout(Some(timeout))?,
                Stream::Unix(stream) => stream.set_write_timeout(Some(timeout))?,
            }
            self.writing = timeout;
        }
        Ok(())
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut renew = false;
        loop {
            self.arm_reading(renew)?;
            let read = match &*self.stream {
                Stream::Tcp(stream) => (&*stream).read(buffer),
                Stream::Unix(stream) => (&*stream).read(buffer),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => renew = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut renew = false;
        loop {
            self.arm_writing(renew)?;
            let written = match &*self.stream {
                Stream::Tcp(stream) => (&*stream).write(bytes),
                Stream::Unix(stream) => (&*stream).write(bytes),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => renew = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Time until the deadline; never zero.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// A timeout of at most `left`, that also fits when a little less is left: a power of two of
/// milliseconds.
fn timeout(left: Duration) -> Duration {
    let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    let power = millis.checked_ilog2().map_or(SHORTEST, |log| Duration::from_millis(1 << log));
    power.min(Duration::from_secs(3_600))
}

/// The IP addresses of a host. The system's resolver has no deadline, so a name is looked up on a
/// thread of its own, which outlives a deadline that passes; the resolver ends it after some seconds.
fn resolve(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    thread::Builder::new().name("resolver".into()).spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody waits any more if the deadline has passed.
        let _ = sender.send(found);
    })?;
    match receiver.recv_timeout(left(deadline)?) {
        Ok(found) => found,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "looking up the host took too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_never_longer_than_what_is_left() {
        for (left, expected) in [(1, 1), (2, 2), (3, 2), (999, 512), (1_024, 1_024), (5_000, 4_096)]
        {
            assert_eq!(timeout(Duration::from_millis(left)), Duration::from_millis(expected));
        }
        assert_eq!(timeout(Duration::from_nanos(1)), SHORTEST);
        assert!(timeout(Duration::MAX) <= Duration::from_secs(3_600));
    }

    #[test]
    fn a_read_ends_at_its_deadline_and_not_before() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut socket = Socket::new(Stream::Unix(near), Instant::now());
        let mut buffer = [0];
        for millis in [1_u64, 30, 300, 3] {
            let begin = Instant::now();
            socket.set_deadline(begin + Duration::from_millis(millis));
            let error = socket.read(&mut buffer).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(begin.elapsed() >= Duration::from_millis(millis), "{:?}", begin.elapsed());
        }
        // A byte does not extend it. On a busy machine it may come too late; then there is more time.
        far.write_all(&[7; 100]).unwrap();
        let read = [50, 500, 5_000, 50_000].into_iter().any(|millis| {
            let deadline = Instant::now() + Duration::from_millis(millis);
            socket.set_deadline(deadline);
            let read = socket.read_exact(&mut buffer).is_ok();
            thread::sleep(deadline.saturating_duration_since(Instant::now()));
            assert_eq!(socket.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::TimedOut);
            read
        });
        assert!(read);
        // A peer that does not read.
        socket.set_deadline(Instant::now() + Duration::from_millis(100));
        let error = socket.write_all(&vec![0; 16 << 20]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn names_are_looked_up() {
        let deadline = Instant::now() + Duration::from_secs(60);
        let found = resolve("localhost", 5432, deadline).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 5432));
        assert_eq!(resolve("::1", 1, deadline).unwrap(), ["[::1]:1".parse().unwrap()]);
        assert!(resolve("localhost", 1, Instant::now()).is_err());
    }
}
