//! The connection to a mail server: lines out, replies in, encrypted or not, with limits that no
//! byte from the other side can stretch. Knows no command.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use super::reply::{MAX_LINE, Progress, Reply};
use super::tls::{Encrypted, Trust};

/// How long one command and its answer may take, and the connection before them.
pub(super) const STEP: Duration = Duration::from_secs(20);
/// How long a server may take to say that it has the mail: some look for spam meanwhile, and a
/// mail that is given up here is sent twice.
pub(super) const VERDICT: Duration = Duration::from_secs(40);
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(90);

/// A TCP connection whose reads and writes end by a moment, however few bytes each brings.
struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
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
    /// What has come and is not read yet.
    received: Vec<u8>,
    /// When all of it is over.
    end: Instant,
}

impl Wire {
    /// Tries the host's addresses one after the other.
    pub(super) fn connect(host: &str, port: u16) -> Result<Wire, String> {
        let end = Instant::now() + WHOLE;
        let until = Instant::now() + STEP;
        let addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
        let mut why = "its name has no address".to_owned();
        for address in addresses {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(in_words(&io::ErrorKind::TimedOut.into()));
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(socket) => {
                    let stream = Stream::Plain(Timed { socket, until });
                    return Ok(Wire { stream, received: Vec::new(), end });
                }
                Err(error) => why = in_words(&error),
            }
        }
        Err(why)
    }

    /// From here on it is encrypted.
    pub(super) fn encrypt(self, trust: &Trust) -> Result<Wire, String> {
        let Stream::Plain(mut timed) = self.stream else { return Err("TLS twice".into()) };
        // It would be read as if it had come encrypted.
        if !self.received.is_empty() {
            return Err("it said more than it was asked before TLS began".into());
        }
        timed.until = self.end.min(Instant::now() + STEP);
        let stream = Stream::Encrypted(Box::new(trust.encrypt(timed)?));
        Ok(Wire { stream, received: self.received, end: self.end })
    }

    /// The address that this side has.
    pub(super) fn own_address(&self) -> Option<IpAddr> {
        let timed = match &self.stream {
            Stream::Plain(timed) => timed,
            Stream::Encrypted(stream) => &stream.sock,
        };
        timed.socket.local_addr().ok().as_ref().map(SocketAddr::ip)
    }

    /// Says something, and waits for the answer.
    pub(super) fn ask(&mut self, bytes: &[u8], limit: Duration) -> Result<Reply, String> {
        self.allow(limit);
        self.tell(bytes).map_err(|error| in_words(&error))?;
        self.reply()
    }

    /// Waits for what the server says unasked.
    pub(super) fn listen(&mut self) -> Result<Reply, String> {
        self.allow(STEP);
        self.reply()
    }

    /// Says something without waiting for the answer, nor for a server that does not read.
    pub(super) fn leave(mut self, bytes: &[u8]) {
        self.allow(Duration::from_millis(200));
        // The mail is delivered, or not; nothing can come of this.
        let _ = self.tell(bytes);
    }

    fn allow(&mut self, limit: Duration) {
        let until = self.end.min(Instant::now() + limit);
        match &mut self.stream {
            Stream::Plain(timed) => timed.until = until,
            Stream::Encrypted(stream) => stream.sock.until = until,
        }
    }

    fn tell(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(timed) => timed.write_all(bytes),
            Stream::Encrypted(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    fn reply(&mut self) -> Result<Reply, String> {
        let mut part = None;
        loop {
            let line = self.line()?;
            match Reply::next(part.take(), &line)? {
                Progress::Whole(reply) => return Ok(reply),
                Progress::Part(reply) => part = Some(reply),
            }
        }
    }

    /// One line, without its end.
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
                return Err("a line of its answer has no end".into());
            }
            let mut buffer = [0; 1_024];
            let read = match &mut self.stream {
                Stream::Plain(timed) => timed.read(&mut buffer),
                Stream::Encrypted(stream) => stream.read(&mut buffer),
            };
            match read {
                Ok(0) => return Err("it closed the connection".into()),
                Ok(n) => self.received.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(in_words(&error)),
            }
        }
    }
}

/// The system's words, but for what a socket with a time limit says.
pub(super) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it took too long".into(),
        io::ErrorKind::UnexpectedEof => "it closed the connection".into(),
        _ => error.to_string(),
    }
}
