//! The request to stop the engine: from a signal handler, another thread, or a test.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// The receiving end, given to [`serve`](super::serve).
#[derive(Debug)]
pub struct Stop {
    receiver: UnixStream,
    sender: UnixStream,
}

/// The sending end; any number of them.
#[derive(Debug)]
pub struct Stopper(UnixStream);

impl Stop {
    /// A stop that is not requested yet.
    pub fn new() -> io::Result<Stop> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        Ok(Stop { receiver, sender })
    }

    /// A sending end of this stop.
    pub fn stopper(&self) -> io::Result<Stopper> {
        self.sender.try_clone().map(Stopper)
    }

    /// Whether the stop was requested since the last call.
    pub(super) fn requested(&self) -> bool {
        matches!((&self.receiver).read(&mut [0; 64]), Ok(count) if count > 0)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }
}

impl Stopper {
    /// Requests the stop. A second call ends the wait for requests under way.
    pub fn stop(&self) {
        // A full socket means that the stop is requested already.
        let _ = (&self.0).write(&[1]);
    }

    /// The socket, for a caller that can only write a byte (a signal handler).
    pub fn into_socket(self) -> UnixStream {
        self.0
    }
}
