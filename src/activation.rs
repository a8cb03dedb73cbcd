//! Sockets that a service manager has opened and hands over (socket activation, sd_listen_fds(3)).

use std::net::TcpListener;

use listenfd::ListenFd;
use rustix::net::sockopt;

use crate::error::Problem;
use crate::net::Listeners;

/// Sockets that are taken at most.
const MAX_SOCKETS: usize = 16;

/// Takes the sockets that the environment names; `None` if it names none, or those of another
/// process.
///
/// # Errors
///
/// If one is not a TCP socket that listens; if there are more than 16.
pub(crate) fn listeners() -> Result<Option<Listeners>, Problem> {
    let of = |name| std::env::var(name).unwrap_or_default();
    if of("LISTEN_PID") != std::process::id().to_string() {
        return Ok(None);
    }
    let (count, names) = (of("LISTEN_FDS"), of("LISTEN_FDNAMES"));
    let count = match count.parse() {
        Ok(0) => return Ok(None),
        _ if count.is_empty() => return Ok(None),
        Ok(count) if count <= MAX_SOCKETS => count,
        _ => return Err(unusable(format!("LISTEN_FDS={count:?}: at most {MAX_SOCKETS} sockets"))),
    };
    let mut handed = ListenFd::from_env();
    let mut names = names.split(':');
    let mut one = |number| {
        let name = names.next().unwrap_or_default();
        let socket = handed.take_tcp_listener(number).ok().flatten().filter(listens);
        socket.ok_or_else(|| {
            unusable(format!("socket {number} ({name}) is not a listening TCP socket"))
        })
    };
    let sockets = (0..count).map(&mut one).collect::<Result<_, _>>()?;
    Listeners::handed_over(sockets).map(Some).map_err(|error| unusable(error.to_string()))
}

fn listens(socket: &TcpListener) -> bool {
    sockopt::socket_acceptconn(socket).unwrap_or_default()
}

fn unusable(what: String) -> Problem {
    Problem::new(
        format!("cannot take the sockets of the service manager: {what}"),
        "its socket unit needs ListenStream=ADDR:PORT, and no Accept=, Datagram or Unix sockets",
    )
}
