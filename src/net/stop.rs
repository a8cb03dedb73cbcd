//! How the engine is told to end: from a signal handler, another thread, or a test.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// The receiving end, given to [`serve`](super::serve).
#[derive(Debug)]
pub struct Stop {
    heard: UnixStream,
    said: UnixStream,
}

/// The sending end; any number of them.
#[derive(Debug)]
pub struct Stopper(UnixStream);

impl Stop {
    /// A stop that nobody has asked for yet.
    pub fn new() -> io::Result<Stop> {
        let (heard, said) = UnixStream::pair()?;
        heard.set_nonblocking(true)?;
        said.set_nonblocking(true)?;
        Ok(Stop { heard, said })
    }

    /// Something that can ask for this stop.
    pub fn stopper(&self) -> io::Result<Stopper> {
        self.said.try_clone().map(Stopper)
    }

    /// Whether it was asked for since the last call.
    pub(super) fn asked(&self) -> bool {
        matches!((&self.heard).read(&mut [0; 64]), Ok(count) if count > 0)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.heard.as_fd()
    }
}

impl Stopper {
    /// Asks for the stop. Asking again ends the wait for requests under way.
    pub fn stop(&self) {
        // A full socket means that it was asked for often enough.
        let _ = (&self.0).write(&[1]);
    }

    /// The socket to write a byte to, for those that can only do that (signal handlers).
    pub fn into_socket(self) -> UnixStream {
        self.0
    }
}
