//! The sockets that connections come from: of this process, or of another one that has opened them
//! and keeps them (socket activation).

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, sockopt};

/// Bytes of answers that the kernel keeps for a client that does not read. Its default is
/// megabytes.
const SEND_BUFFER: usize = 64 * 1024;
/// Connections that may wait in the kernel to be accepted.
pub(super) const BACKLOG: i32 = 4096;

/// Listening sockets, for [`serve`](super::serve).
#[derive(Debug)]
pub struct Listeners {
    pub(super) sockets: Vec<TcpListener>,
    /// Whether another process keeps them: what waits to be accepted at the stop then is answered
    /// by the next process.
    pub(super) kept: bool,
}

/// Opens the port; returns the listener for [`serve`](super::serve).
pub fn listen(address: SocketAddr) -> io::Result<Listeners> {
    Listeners::new(vec![TcpListener::bind(address)?], false)
}

/// Tries whether [`listen`] would succeed. No client can connect meanwhile.
#[doc(hidden)]
pub fn try_address(address: SocketAddr) -> io::Result<()> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
    // As the standard library does: connections that have ended do not count.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    Ok(rustix::net::bind(&socket, &address)?)
}

impl Listeners {
    /// Sockets that another process has opened and keeps open while this one ends and the next one
    /// starts.
    pub fn handed_over(sockets: Vec<TcpListener>) -> io::Result<Listeners> {
        Listeners::new(sockets, true)
    }

    fn new(sockets: Vec<TcpListener>, kept: bool) -> io::Result<Listeners> {
        for socket in &sockets {
            // The manager may have set a smaller backlog; a second listen() replaces it.
            rustix::net::listen(socket, BACKLOG)?;
            // On Linux accepted sockets inherit these, which saves system calls per connection.
            sockopt::set_tcp_nodelay(socket, true)?;
            sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER)?;
            socket.set_nonblocking(true)?;
        }
        Ok(Listeners { sockets, kept })
    }

    /// The address of the first one.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.sockets.first() {
            Some(socket) => socket.local_addr(),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The addresses of all.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// The kernel cuts a client that does not take what fits into the send buffer in this time:
    /// that counts as written.
    pub(super) fn set_unread_time(&self, time: Duration) -> io::Result<()> {
        let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        self.sockets.iter().try_for_each(|one| Ok(sockopt::set_tcp_user_timeout(one, millis)?))
    }
}
