//! The connection to a mail server, plain or encrypted: writes lines and reads replies. Bytes from
//! the server never extend a time limit. Knows no command.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use super::reply::{MAX_LINE, Progress, Reply};
use crate::tls::{Encrypted, Trust, describe};

/// Time limit on connecting, and on each command with its reply.
pub(super) const STEP: Duration = Duration::from_secs(20);
/// Time limit on the reply after the mail. It is longer because some servers scan for spam before
/// they reply, and a mail without a reply is sent a second time.
pub(super) const AFTER_DATA: Duration = Duration::from_secs(40);
/// Time limit on the whole delivery.
const TOTAL: Duration = Duration::from_secs(90);

/// A TCP connection with one deadline for all reads and writes, which no byte extends.
struct Timed {
    socket: TcpStream,
    deadline: Instant,
}

impl Timed {
    /// Time until the deadline, as a socket timeout.
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Stream {
    Plain(Timed),
    Encrypted(Box<Encrypted<Timed>>),
}

/// An open connection.
pub(super) struct Wire {
    stream: Stream,
    /// Bytes received but not yet parsed.
    received: Vec<u8>,
    /// The deadline of the whole delivery.
    end: Instant,
}

impl Wire {
    /// Connects to the first IP address of the host that answers.
    pub(super) fn connect(host: &str, port: u16) -> Result<Wire, String> {
        let end = Instant::now() + TOTAL;
        let deadline = Instant::now() + STEP;
        let addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
        let mut why = "the host has no IP address".to_owned();
        for address in addresses {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(describe(&io::ErrorKind::TimedOut.into()));
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(socket) => {
                    let stream = Stream::Plain(Timed { socket, deadline });
                    return Ok(Wire { stream, received: Vec::new(), end });
                }
                Err(error) => why = describe(&error),
            }
        }
        Err(why)
    }

    /// Turns a plain connection into an encrypted one.
    pub(super) fn encrypt(self, trust: &Trust) -> Result<Wire, String> {
        let Stream::Plain(mut timed) = self.stream else {
            return Err("the connection is encrypted already".into());
        };
        // Bytes that came before TLS would be parsed as if they had come encrypted.
        if !self.received.is_empty() {
            return Err("the server sent more than the reply to STARTTLS before TLS began".into());
        }
        timed.deadline = self.end.min(Instant::now() + STEP);
        let stream = Stream::Encrypted(Box::new(trust.encrypt(timed)?));
        Ok(Wire { stream, received: self.received, end: self.end })
    }

    /// The IP address of this side.
    pub(super) fn local_ip(&self) -> Option<IpAddr> {
        let timed = match &self.stream {
            Stream::Plain(timed) => timed,
            Stream::Encrypted(stream) => &stream.sock,
        };
        timed.socket.local_addr().ok().as_ref().map(SocketAddr::ip)
    }

    /// Sends a command and waits for the reply.
    pub(super) fn ask(&mut self, bytes: &[u8], limit: Duration) -> Result<Reply, String> {
        self.set_limit(limit);
        self.write(bytes).map_err(|error| describe(&error))?;
        self.reply()
    }

    /// Waits for the greeting.
    pub(super) fn greeting(&mut self) -> Result<Reply, String> {
        self.set_limit(STEP);
        self.reply()
    }

    /// Sends a last command without waiting for the reply, nor for a server that does not read.
    pub(super) fn close(mut self, bytes: &[u8]) {
        self.set_limit(Duration::from_millis(200));
        // The outcome of the delivery is known already.
        let _ = self.write(bytes);
    }

    fn set_limit(&mut self, limit: Duration) {
        let deadline = self.end.min(Instant::now() + limit);
        match &mut self.stream {
            Stream::Plain(timed) => timed.deadline = deadline,
            Stream::Encrypted(stream) => stream.sock.deadline = deadline,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(timed) => timed.write_all(bytes),
            Stream::Encrypted(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    fn reply(&mut self) -> Result<Reply, String> {
        let mut partial = None;
        loop {
            let line = self.line()?;
            match Reply::next(partial.take(), &line)? {
                Progress::Complete(reply) => return Ok(reply),
                Progress::Partial(reply) => partial = Some(reply),
            }
        }
    }

    /// One line, without its line end.
    fn line(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
                let mut line: Vec<u8> = self.received.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if self.received.len() > MAX_LINE {
                return Err("a line of the server's reply is too long".into());
            }
            let mut buffer = [0; 1_024];
            let read = match &mut self.stream {
                Stream::Plain(timed) => timed.read(&mut buffer),
                Stream::Encrypted(stream) => stream.read(&mut buffer),
            };
            match read {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(n) => self.received.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(describe(&error)),
            }
        }
    }
}
